import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createFrameDecoder, encodeFrame, FrameType, type Frame } from "../../src/agent/frame.ts";
import { connectAgent, QemuError, type AgentPort } from "../../src/index.ts";
import { nativeProgram, sanitizedProgram, startNativeAgent } from "../support/native-agent.ts";
import { until } from "../support/processes.ts";
import { createRandom, type Random } from "../support/random.ts";

let scratch: string;
let program: string;
let sanitized: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "qemu-damage-test-"));
  program = await nativeProgram();
  sanitized = await sanitizedProgram(scratch);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

type Change = (bytes: Uint8Array) => Uint8Array;

/** A line that changes the bytes from the agent, to it, or both, once `start` was called. */
function noisy(port: AgentPort, from: Change, to: Change): { readonly port: AgentPort; start(): void } {
  let on = false;
  async function* readable(): AsyncGenerator<Uint8Array> {
    for await (const bytes of port.readable) yield on ? from(bytes) : bytes;
  }
  return {
    port: {
      name: port.name,
      readable: readable(),
      write: (data) => port.write(on ? to(data) : data),
    },
    start: () => {
      on = true;
    },
  };
}

const same: Change = (bytes) => bytes;
const flip =
  (random: Random): Change =>
  (bytes) => {
    const copy = Buffer.from(bytes);
    const at = random.below(copy.length);
    copy[at] = (copy[at] as number) ^ (1 << random.below(8));
    return copy;
  };
const lose =
  (random: Random): Change =>
  (bytes) => {
    const at = random.below(bytes.length);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(30))]);
  };

describe("never a success", () => {
  const seed = randomInt(2 ** 31);
  test.each([
    ["bits that change on the way from the agent", flip, "from"],
    ["bytes that are lost on the way from the agent", lose, "from"],
    ["bits that change on the way to the agent", flip, "to"],
    ["bytes that are lost on the way to the agent", lose, "to"],
  ] as const)(`%s (seed ${seed})`, async (_, change, way) => {
    const random = createRandom(seed);
    for (let round = 0; round < 5; round += 1) {
      const native = startNativeAgent(program);
      const damage = change(random);
      const line = noisy(native.port, way === "from" ? damage : same, way === "to" ? damage : same);
      const agent = await connectAgent(line.port);
      expect((await agent.exec(["true"])).code).toBe(0);
      line.start();
      const work = agent.exec(["head", "-c", "3000000", "/dev/zero"], { stdin: Buffer.alloc(500_000) });
      // A loss is seen by what follows, which on a quiet line is the answer to a ping, seconds later.
      await expect(work).rejects.toMatchObject({ code: "QEMU_AGENT_DAMAGED" });
      await expect(agent.exec(["true"])).rejects.toMatchObject({ code: "QEMU_AGENT_DAMAGED" });
      native.kill();
      await native.closed;
    }
  });

  test("an agent that dies, and one that is not there", async () => {
    const native = startNativeAgent(program);
    const agent = await connectAgent(native.port);
    const [first, second] = [agent.exec(["cat"], { stdin: endless() }), agent.exec(["sleep", "3"])];
    const killed = [first, second].map((work) => work.catch((error: unknown) => error));
    native.kill();
    for (const error of await Promise.all(killed)) expect(error).toMatchObject({ code: "QEMU_AGENT_LOST" });
    await expect(agent.exec(["true"])).rejects.toMatchObject({ code: "QEMU_AGENT_LOST" });
    await expect(connectAgent(native.port)).rejects.toBeInstanceOf(QemuError);
    const silent: AgentPort = {
      name: "silent",
      readable: { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }) },
      write: async () => undefined,
    };
    await expect(connectAgent(silent, { timeout: 300 })).rejects.toMatchObject({ code: "QEMU_AGENT_SILENT" });
    await expect(connectAgent(silent, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
  });
});

async function* endless(): AsyncGenerator<Uint8Array> {
  for (;;) yield Buffer.alloc(1000);
}

const records = (random: Random): Buffer => {
  const list = [
    "arg=true\0",
    "arg=cat\0",
    "arg=\0",
    "env=\0",
    "env=A\0",
    "cwd=\0",
    "path=.\0",
    "fifo=\0",
    "\0",
    "x",
  ];
  return Buffer.from(Array.from({ length: random.below(6) }, () => list[random.below(list.length)]).join(""));
};
const uint32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);

/** Frames that a host might send, at the wrong time and in the wrong order; jobs 0 to 3 may have been started. */
function disorder(random: Random): Omit<Frame, "sequence"> {
  const { input, credit, kill, reseed, poweroff, bye, ping } = FrameType;
  const job = random.below(5);
  const choices: readonly (readonly [type: number, payload: Buffer])[] = [
    [input, random.bytes(random.below(300))],
    [input, Buffer.alloc(random.below(40_000))],
    [credit, uint32(random.below(100_000))],
    [credit, uint32(0xffff_ffff)],
    [kill, uint32(random.below(2) === 0 ? random.below(2 ** 32) : 15)],
    [reseed, random.bytes(random.below(600))],
    [[poweroff, bye, ping][random.below(3)] as number, random.bytes(random.below(9))],
  ];
  const [type, payload] = choices[random.below(choices.length)] as readonly [number, Buffer];
  return { type, job, payload };
}

/** A session's worth: jobs that are started in many ways, disorder, and in the rough ones what must end it at once. */
function* nonsense(random: Random): Generator<Uint8Array> {
  const rough = random.below(2) === 0;
  let sequence = 1;
  const { exec, read } = FrameType;
  // No write: what it would do to this machine's files is not the agent's fault.
  const starts = [
    [exec, Buffer.from("arg=cat\0")],
    [exec, Buffer.from("arg=cat\0arg=/dev/zero\0stdin=null\0")],
    [read, Buffer.from("path=/proc/self/status\0")],
    [random.below(2) === 0 ? exec : read, Buffer.concat([records(random), Buffer.alloc(1)])],
  ] as const;
  for (const [job, [type, payload]] of starts.entries()) {
    yield encodeFrame({ type, job, sequence: sequence++, payload });
    for (let count = random.below(8); count > 0; count -= 1)
      yield encodeFrame({ ...disorder(random), sequence: sequence++ });
  }
  for (let count = rough ? random.below(10) : 0; count > 0; count -= 1) {
    const payload = random.below(2) === 0 ? records(random) : random.bytes(random.below(70));
    const frame = Buffer.from(
      encodeFrame({ type: random.below(75), job: random.below(5), sequence: sequence++, payload }),
    );
    // 4 would be a write.
    if (frame.readUInt32LE(4) === 4) continue;
    if (random.below(3) === 0) frame.writeUInt8(random.below(256), random.below(frame.length));
    yield random.below(5) === 0 ? random.bytes(random.below(3000)) : frame;
  }
}

test("the agent, built with the compiler's checks, survives whatever it is sent, and then serves", async () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? randomInt(2 ** 31));
  const random = createRandom(seed);
  const native = startNativeAgent(sanitized);
  let ended = false;
  const end = native.closed.then((how) => {
    ended = true;
    return new Error(`seed ${seed}: ended (${how}): ${native.stderr()}`);
  });
  const decoder = createFrameDecoder();
  const seen: Record<number, number> = {};
  native.stream.on("data", (bytes: Uint8Array) => {
    decoder.push(bytes);
    for (let frame = decoder.next(true); frame !== undefined; frame = decoder.next(true))
      seen[frame.type] = (seen[frame.type] ?? 0) + 1;
  });
  for (let session = 0; session < Number(process.env["FUZZ_ROUNDS"] ?? 150); session += 1) {
    const nonce = random.bytes(8);
    native.stream.write(encodeFrame({ type: FrameType.hello, job: 0, sequence: 0, payload: nonce }));
    for (const bytes of nonsense(random)) native.stream.write(bytes);
    // At its pace: else most of it would be over before anything has begun.
    await until(async () => (seen[FrameType.welcome] ?? 0) > session || ended, 20_000);
  }
  // Enough to complete the longest frame that was begun.
  native.stream.write(Buffer.alloc(140_000));
  native.stream.removeAllListeners("data");
  const agent = await Promise.race([connectAgent(native.port, { timeout: 20_000 }), end]);
  if (agent instanceof Error) throw agent;
  // It has been at work between the damages.
  for (const type of [FrameType.output, FrameType.end, FrameType.damaged])
    expect(seen[type] ?? 0, JSON.stringify(seen)).toBeGreaterThan(5);
  const result = await agent.exec(["sh", "-c", "cat; exit 5"], { stdin: "still here" });
  expect([result.code, Buffer.from(result.stdout).toString()]).toEqual([5, "still here"]);
  expect(native.stderr(), `seed ${seed}`).toBe("");
  native.stream.destroy();
  expect(await native.closed, native.stderr()).toBe(0);
});
