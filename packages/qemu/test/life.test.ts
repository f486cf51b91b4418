import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch } from "../src/index.ts";
import { detectGuard, spawnGuarded, type Guard } from "../src/internal/guard.ts";
import { collect } from "./support/collect.ts";
import { processesWith, until } from "./support/processes.ts";

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-life-test-"));
  // What is left behind here is ours.
  process.env["TMPDIR"] = scratch;
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const index = new URL("../src/index.ts", import.meta.url).href;
const guardModule = new URL("../src/internal/guard.ts", import.meta.url).href;

/** Runs a module in a Node.js of its own and waits until it prints a line. */
async function inOwnProcess(code: string): Promise<ReturnType<typeof spawn>> {
  const file = join(scratch, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(file, code);
  const child = spawn(process.execPath, [file], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise((resolve, reject) => {
    child.stdout.once("data", resolve);
    child.once("exit", () => reject(new Error("It ended before it was ready")));
  });
  return child;
}

describe("SIGKILL of the parent leaves no QEMU", () => {
  test("with a machine that runs, and no files", async () => {
    const name = `orphan-${process.pid}-launch`;
    const child = await inOwnProcess(`
      import { launch } from "${index}";
      await launch({ firmware: "bios-256k.bin", extraArgs: ["-name", "${name}"] });
      console.log("runs");`);
    expect(await processesWith(name)).not.toEqual([]);
    child.kill("SIGKILL");
    expect(await until(async () => (await processesWith(name)).length === 0, 2000)).toBe(true);
  });

  test("nor the daemon of a share", async () => {
    const name = `orphan-${process.pid}-share`;
    const shares = [{ path: scratch, tag: name, kind: "virtiofs", readOnly: false }];
    const child = await inOwnProcess(`
      import { launch } from "${index}";
      await launch({ firmware: "bios-256k.bin", shares: ${JSON.stringify(shares)} });
      console.log("runs");`);
    // QEMU, the daemon, and what the daemon has started.
    expect((await processesWith(name)).length).toBeGreaterThanOrEqual(2);
    child.kill("SIGKILL");
    expect(await until(async () => (await processesWith(name)).length === 0, 2000)).toBe(true);
    expect((await readdir(scratch)).filter((file) => file.startsWith("justenough-qemu-"))).toEqual([]);
  });

  test.each<Guard>(["pdeathsig", "reaper"])("by %s", async (guard) => {
    const name = `orphan-${process.pid}-${guard}`;
    const child = await inOwnProcess(`
      import { spawnGuarded } from "${guardModule}";
      spawnGuarded("${guard}", ["qemu-system-x86_64", "-S", "-display", "none", "-nodefaults", "-name", "${name}"], 2);
      setTimeout(() => console.log("runs"), 300);`);
    expect(await processesWith(name)).not.toEqual([]);
    child.kill("SIGKILL");
    expect(await until(async () => (await processesWith(name)).length === 0, 2000)).toBe(true);
  });
});

describe("guards", () => {
  test("this system has the kernel's own", async () => {
    expect(await detectGuard()).toBe("pdeathsig");
  });

  test.each<Guard>(["pdeathsig", "reaper"])(
    "%s passes on status, output, signals and channels",
    async (guard) => {
      const child = spawnGuarded(guard, ["sh", "-c", "cat <&3 >&4; echo out; echo err >&2; exit 42"], 2);
      const read = (stream: NodeJS.ReadableStream): Promise<string> =>
        collect(stream).then((parts) => parts.join(""));
      child.channel(3).end("through");
      child.channel(3).resume();
      const texts = await Promise.all([read(child.stdout), read(child.stderr), read(child.channel(4))]);
      expect(texts).toEqual(["out\n", "err\n", "through"]);
      expect(await child.closed).toEqual({ code: 42, signal: null });

      for (const [end, signal] of [
        ["terminate", "SIGTERM"],
        ["kill", "SIGKILL"],
      ] as const) {
        const sleeper = spawnGuarded(guard, ["sh", "-c", "echo up; exec sleep 100"], 0);
        await new Promise((resolve) => sleeper.stdout.once("data", resolve));
        sleeper.stderr.resume();
        sleeper[end]();
        expect(await sleeper.closed).toEqual({ code: null, signal });
      }
    },
  );

  test.each<Guard>(["pdeathsig", "reaper"])(
    "%s passes on more sockets than a shell can name",
    async (guard) => {
      const echo =
        "for (const fd of [10, 11]) { const s = new (require('node:net').Socket)({ fd }); s.pipe(s); }";
      const child = spawnGuarded(guard, [process.execPath, "-e", echo], 2, 2);
      for (const stream of [child.stdout, child.stderr, child.channel(3), child.channel(4)]) stream.resume();
      const read = async (fd: number): Promise<string> => {
        child.channel(fd).write(`over ${fd}`);
        const [bytes] = (await once(child.channel(fd), "data")) as [Uint8Array];
        child.channel(fd).end();
        return Buffer.from(bytes).toString();
      };
      expect(await Promise.all([read(10), read(11)])).toEqual(["over 10", "over 11"]);
      expect(await child.closed).toEqual({ code: 0, signal: null });
    },
  );

  test("a helper that outlives the command does not keep its end from being seen", async () => {
    const child = spawnGuarded("pdeathsig", ["sh", "-c", "sleep 100 & exit 3"], 0);
    child.stdout.resume();
    child.stderr.resume();
    expect(await child.closed).toEqual({ code: 3, signal: null });
  });
});

describe("a start that fails leaves nothing", () => {
  const leftovers = async (): Promise<string[]> =>
    (await readdir(scratch)).filter((name) => name.startsWith("justenough-qemu-"));

  test("QEMU's own refusal, with the command to try", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    const address = server.address();
    const taken = typeof address === "object" && address !== null ? address.port : 0;
    try {
      await expect(
        launch({ firmware: "bios-256k.bin", forwards: [{ host: taken, guest: 80 }] }),
      ).rejects.toMatchObject({
        code: "QEMU_START_FAILED",
        message: expect.stringMatching(/Could not set up host forwarding rule/),
        hint: expect.stringContaining("qemu-system-x86_64"),
      });
    } finally {
      server.close();
    }
    expect(await leftovers()).toEqual([]);
  });

  test("a missing file is named", async () => {
    await expect(launch({ kernel: "/no/such/bzImage" })).rejects.toMatchObject({
      code: "QEMU_FILE_UNREADABLE",
      message: 'Cannot read kernel "/no/such/bzImage": ENOENT',
    });
    // Of these QEMU tells without their names, or takes them for something else.
    const shares = [{ path: join(scratch, "file"), tag: "share" }];
    await writeFile(join(scratch, "file"), "");
    for (const [machine, message] of [
      [{ kernel: scratch }, `Cannot read kernel "${scratch}": it is a directory`],
      [
        { firmware: "bios.bin", disks: [{ path: scratch }] },
        `Cannot read and write disk "${scratch}": it is`,
      ],
      [{ firmware: "bios.bin", shares }, `Cannot read share "${scratch}/file": it is no directory`],
    ] as const)
      await expect(launch(machine)).rejects.toMatchObject({
        code: "QEMU_FILE_UNREADABLE",
        message: expect.stringContaining(message),
      });
  });

  test("a process without file descriptors for one more is told so, and can go on", async () => {
    const file = join(scratch, "many.mjs");
    await writeFile(
      file,
      `import { launch } from "${index}";
      const [machines, errors] = [[], []];
      while (errors.length < 2)
        await launch({ firmware: "bios-256k.bin", memory: "32M", accel: "tcg" }).then(
          (vm) => machines.push(vm),
          ({ code, message }) => errors.push([code, message]),
        );
      await Promise.all(machines.splice(0).map((vm) => vm.kill()));
      await (await launch({ firmware: "bios-256k.bin", accel: "tcg" })).kill();
      console.log(JSON.stringify(errors));`,
    );
    const limited = ["-c", 'ulimit -n 50; exec "$0" "$1"', process.execPath, file];
    const { stdout } = await promisify(execFile)("sh", limited);
    const told = ["QEMU_START_FAILED", expect.stringContaining("no file descriptors left")];
    expect(JSON.parse(stdout)).toEqual([told, told]);
    expect(await leftovers()).toEqual([]);
  });

  test("an abort before the start", async () => {
    await expect(
      launch({ firmware: "bios-256k.bin" }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({ name: "AbortError" });
    const controller = new AbortController();
    const name = `aborted-${process.pid}`;
    const starting = launch(
      { firmware: "bios-256k.bin", extraArgs: ["-name", name] },
      {
        signal: controller.signal,
        onProgress: ({ phase }) => {
          if (phase === "start") setImmediate(() => controller.abort());
        },
      },
    );
    await expect(starting).rejects.toMatchObject({ name: "AbortError" });
    expect(await processesWith(name)).toEqual([]);
  });
});

test("a boot from the network shows the firmware's own PXE client on the console", async () => {
  const vm = await launch(
    { boot: "network", nics: [{ kind: "user", restrict: true, mac: "52:54:00:ab:cd:ef" }], accel: "tcg" },
    { deadlines: { total: 25_000 } },
  );
  await vm.console.expect(/iPXE .*Open Source Network Boot Firmware/);
  await vm.console.expect("Configuring (net0 52:54:00:ab:cd:ef)");
  expect(await vm.kill()).toMatchObject({ kind: "killed", by: "caller" });
});

describe("the end from outside", () => {
  test("each way is told apart, and disposing waits for it", async () => {
    const name = `ended-${process.pid}`;
    const machine = { firmware: "bios-256k.bin", extraArgs: ["-name", name] };
    const options = { deadlines: { total: 20_000 } };
    const disposed = await launch(machine, options);
    await disposed[Symbol.asyncDispose]();
    expect(await disposed.wait()).toMatchObject({ kind: "killed", by: "caller", phase: "silent" });
    expect(await disposed.kill()).toBe(await disposed.wait());
    expect(() => disposed.port("channel")).toThrow(expect.objectContaining({ code: "QEMU_PORT_UNKNOWN" }));

    const terminated = await launch(machine, options);
    process.kill(terminated.pid, "SIGTERM");
    expect(await terminated.wait()).toMatchObject({ kind: "killed", by: "signal" });

    const crashed = await launch(machine, options);
    process.kill(crashed.pid, "SIGSEGV");
    expect(await crashed.wait()).toMatchObject({ kind: "qemu-error", exitCode: null, signal: "SIGSEGV" });

    // A QEMU that answers no more is forced.
    const stuck = await launch(machine, options);
    process.kill(stuck.pid, "SIGSTOP");
    expect(await stuck.kill()).toMatchObject({ kind: "killed", by: "caller" });
    expect(await processesWith(name)).toEqual([]);
  });

  test("a console log that can't be written is a warning, not the end", async () => {
    const vm = await launch(
      { firmware: "bios-256k.bin" },
      { consoleLog: join(scratch, "no/such/directory/log") },
    );
    const end = await vm.kill();
    expect(end.warnings).toEqual([expect.stringContaining("is incomplete: ENOENT")]);
  });
});
