import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { deferred } from "../../src/internal/deferred.ts";
import { connectAgent, type Agent } from "../../src/index.ts";
import { collect } from "../support/collect.ts";
import { execRound } from "../support/exec-rounds.ts";
import { nativeProgram, startNativeAgent, type NativeAgent } from "../support/native-agent.ts";
import { processesWith, until } from "../support/processes.ts";
import { createRandom } from "../support/random.ts";

let scratch: string;
let program: string;
const running: NativeAgent[] = [];
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-agent-test-"));
  program = await nativeProgram();
});
afterEach(async () => {
  for (const native of running.splice(0)) {
    native.kill();
    await native.closed;
  }
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

function startNative(): NativeAgent {
  const native = startNativeAgent(program);
  running.push(native);
  return native;
}

const connect = async (): Promise<Agent> => connectAgent(startNative().port);
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8");

describe("a program", () => {
  test("has its arguments, environment, directory and input, and its two streams apart", async () => {
    const agent = await connect();
    const result = await agent.exec(
      ["sh", "-c", 'pwd; echo "$0 $1|$WORD|$HOME"; cat; echo bad >&2; exit 3', "a b", "ü"],
      {
        env: { WORD: "x=y z", HOME: "/root" },
        cwd: "/usr",
        stdin: "in\0put",
      },
    );
    expect(result.code).toBe(3);
    expect(text(result.stdout)).toBe("/usr\na b ü|x=y z|/root\nin\0put");
    expect(text(result.stderr)).toBe("bad\n");
    expect(result.ms).toBeGreaterThan(0);
    // Nothing to read, no descriptors of the agent's, no signal that is ignored or blocked.
    const bare = await agent.exec(["sh", "-c", "cat; ls /proc/self/fd; grep Sig[BI] /proc/self/status"]);
    expect(text(bare.stdout)).toMatch(/^0\n1\n2\n3\nSigBlk:\t0+\nSigIgn:\t0+\n$/);
  });

  test("that can't be run is an error that says why", async () => {
    const agent = await connect();
    const failed = { code: "QEMU_AGENT_FAILED" };
    await expect(agent.exec(["no-such-program"])).rejects.toMatchObject({
      ...failed,
      message: 'Cannot run "no-such-program" in the guest: ENOENT',
    });
    await expect(agent.exec(["/etc/passwd"])).rejects.toMatchObject({ ...failed, message: /EACCES/ });
    await expect(agent.exec(["true"], { cwd: "/no/where" })).rejects.toMatchObject({
      ...failed,
      message: /ENOENT/,
    });
    await expect(agent.exec([])).rejects.toMatchObject({ code: "QEMU_AGENT_REQUEST" });
    await expect(agent.exec(["true"], { env: { "": "x" } })).rejects.toMatchObject({
      code: "QEMU_AGENT_REQUEST",
    });
    await expect(agent.exec(["echo", "a\0b"])).rejects.toMatchObject({ code: "QEMU_AGENT_REQUEST" });
    await expect(agent.exec(["echo", "x".repeat(70_000)])).rejects.toMatchObject({
      code: "QEMU_AGENT_REQUEST",
    });
    await expect(agent.poweroff()).rejects.toMatchObject({ ...failed, message: /EPERM/ });
    await expect(agent.reseed(new Uint8Array(3), new Date())).rejects.toMatchObject({
      code: "QEMU_AGENT_REQUEST",
    });
  });

  const seed = randomInt(2 ** 31);
  test(`ends with exact status and output, 50 in a row (seed ${seed})`, async () => {
    const agent = await connect();
    const random = createRandom(seed);
    for (let round = 0; round < 50; round += 1) await execRound(agent, random, round, 1 << 20);
  });

  test(`and 24 at once do not get in each other's way (seed ${seed})`, async () => {
    const agent = await connect();
    const random = createRandom(seed);
    await Promise.all(Array.from({ length: 24 }, (_, round) => execRound(agent, random, round, 1 << 20)));
  });

  test("that is out of time or unwanted is killed, with what it has started", async () => {
    const agent = await connect();
    const mark = `4${process.pid}.25`;
    const command = ["sh", "-c", `sleep ${mark} & sleep ${mark}; true`];
    await expect(agent.exec(command, { timeout: 300 })).rejects.toMatchObject({ code: "QEMU_AGENT_TIMEOUT" });
    const reason = new Error("enough");
    const killed = agent.exec(command, { signal: AbortSignal.timeout(300) });
    await expect(killed).rejects.toThrow();
    await expect(agent.exec(command, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await until(async () => (await processesWith(mark)).length === 0, 10_000)).toBe(true);
    expect((await agent.exec(["echo", "alive"])).code).toBe(0);
  });

  test("and an agent, may be given all the time there is", async () => {
    const agent = await connectAgent(startNative().port, { timeout: Infinity });
    expect((await agent.exec(["sleep", "0.2"], { timeout: Infinity })).code).toBe(0);
  });

  test("that leaves something behind which holds its output has ended all the same", async () => {
    const agent = await connect();
    const result = await agent.exec(["sh", "-c", "sleep 20 & echo started $!"]);
    expect(text(result.stdout)).toMatch(/^started \d+\n$/);
    await agent.exec(["kill", text(result.stdout).split(" ")[1]?.trim() ?? ""]);
  });

  test("is held up by a reader that takes its time, and others are not", async () => {
    const agent = await connect();
    let bytes = 0;
    const { promise: released, resolve: release } = deferred<void>();
    const slow = agent.exec(["head", "-c", "20000000", "/dev/zero"], {
      onStdout: async (piece) => {
        bytes += piece.length;
        await released;
      },
    });
    for (let quick = 0; quick < 5; quick += 1) expect((await agent.exec(["echo", "quick"])).code).toBe(0);
    expect(await until(async () => bytes > 0, 10_000)).toBe(true);
    expect(bytes).toBeLessThanOrEqual(1 << 20);
    release();
    expect((await slow).code).toBe(0);
    expect(bytes).toBe(20_000_000);
    // An error of the reader is the caller's, and the program is not left running.
    const bad = new Error("no room");
    const failing = agent.exec(["cat", "/dev/zero"], {
      onStdout: () => {
        throw bad;
      },
    });
    await expect(failing).rejects.toBe(bad);
  });

  test("reads a stream as fast as it likes, and may leave the rest", async () => {
    const agent = await connect();
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 100; i += 1) yield Buffer.alloc(50_000, String(i % 10));
    }
    const slow = await agent.exec(["sh", "-c", "sleep 0.3; exec sha256sum"], { stdin: source() });
    const sum = (await agent.exec(["sha256sum"], { stdin: Buffer.concat(await collect(source())) })).stdout;
    expect(text(slow.stdout)).toBe(text(sum));
    const some = await agent.exec(["head", "-c", "5"], { stdin: source() });
    expect(text(some.stdout)).toBe("00000");
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("x");
      throw new Error("no more");
    }
    await expect(agent.exec(["cat"], { stdin: broken() })).rejects.toThrow("no more");
  });
});

describe("files", () => {
  test("go in and out byte for byte", async () => {
    const agent = await connect();
    const content = createRandom(3).bytes(1_000_003);
    const path = join(scratch, "in the guest");
    await agent.writeFile(path, content, { mode: 0o600 });
    expect(content.equals(await readFile(path))).toBe(true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(content.equals(Buffer.concat(await collect(agent.readFile(path))))).toBe(true);
    await agent.copyOut(path, join(scratch, "out"));
    expect(content.equals(await readFile(join(scratch, "out")))).toBe(true);
    await agent.writeFile(path, "short");
    expect(await readFile(path, "utf8")).toBe("short");
    await agent.writeFile(path, new Uint8Array(0));
    expect(await collect(agent.readFile(path))).toEqual([]);
    expect(text(Buffer.concat(await collect(agent.readFile("/proc/self/comm"))))).toMatch(/^agent/);
  });

  test("that can't be read or written are errors, and leave nothing on the host", async () => {
    const agent = await connect();
    const failed = { code: "QEMU_AGENT_FAILED" };
    await expect(collect(agent.readFile("/no/file"))).rejects.toMatchObject({
      ...failed,
      message: /"\/no\/file".*ENOENT/,
    });
    await expect(collect(agent.readFile("/"))).rejects.toMatchObject({ ...failed, message: /EISDIR/ });
    await expect(agent.writeFile("/no/file", "x")).rejects.toMatchObject({ ...failed, message: /ENOENT/ });
    await expect(agent.writeFile("/dev/full", "x")).rejects.toMatchObject({ ...failed, message: /ENOSPC/ });
    const to = join(scratch, "none");
    await expect(agent.copyOut("/no/file", to)).rejects.toMatchObject(failed);
    await expect(stat(to)).rejects.toThrow("ENOENT");
    await expect(stat(`${to}.part`)).rejects.toThrow("ENOENT");
  });

  test("a named pipe holds up nobody but its writer", async () => {
    const agent = await connect();
    const pipe = join(scratch, "pipe");
    expect((await agent.exec(["mkfifo", pipe])).code).toBe(0);
    await expect(agent.writeFile(pipe, "x")).rejects.toMatchObject({
      code: "QEMU_AGENT_FAILED",
      message: /ENXIO/,
    });
    const reader = agent.exec(["sh", "-c", `exec < ${pipe}; sleep 0.5; exec wc -c`]);
    // It has opened the pipe when that can be written to, if only nothing.
    const isOpen = async (): Promise<boolean> =>
      agent.writeFile(pipe, new Uint8Array(0)).then(
        () => true,
        () => false,
      );
    expect(await until(isOpen, 10_000)).toBe(true);
    const written = agent.writeFile(pipe, Buffer.alloc(300_000));
    expect((await agent.exec(["echo", "alive"])).code).toBe(0);
    await written;
    expect(text((await reader).stdout)).toBe("300000\n");
  });

  test("results: a program's output as a stream, and a named pipe", async () => {
    const agent = await connect();
    await writeFile(join(scratch, "one"), "1");
    const archive = Buffer.concat(await collect(agent.output(["tar", "-c", "-C", scratch, "one"])));
    expect(archive.subarray(0, 4).toString()).toBe("one\0");
    await expect(
      collect(agent.output(["sh", "-c", "echo part; echo why >&2; exit 4"])),
    ).rejects.toMatchObject({
      code: "QEMU_AGENT_FAILED",
      message: '"sh" has ended with status 4 in the guest: why',
    });
    const pipe = join(scratch, "results");
    const results = collect(agent.results(pipe));
    const writer = await agent.exec([
      "sh",
      "-c",
      `while ! [ -p ${pipe} ]; do sleep 0.05; done; (echo a; sleep 0.1; head -c 300000 /dev/zero) > ${pipe}`,
    ]);
    expect(writer.code).toBe(0);
    expect(Buffer.concat(await results).length).toBe(300_002);
    // Leaving early ends it there too.
    for await (const piece of agent.readFile("/dev/zero")) if (piece.length > 0) break;
    expect((await agent.exec(["true"])).code).toBe(0);
  });
});
