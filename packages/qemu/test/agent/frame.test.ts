import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { createFrameDecoder, encodeFrame, type Frame } from "../../src/agent/frame.ts";
import { QemuError } from "../../src/index.ts";
import { createRandom, type Random } from "../support/random.ts";

const seed = randomInt(2 ** 31);

function randomFrame(random: Random, sequence: number): Frame {
  const size = random.below(20) === 0 ? random.below(200_000) : random.below(300);
  return { type: random.below(80), job: random.below(2 ** 32), sequence, payload: random.bytes(size) };
}

/** Cuts bytes anywhere. */
function* pieces(random: Random, bytes: Buffer): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const size = random.below(4) === 0 ? random.below(40) : random.below(100_000);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

function decode(random: Random, bytes: Buffer, strict: boolean): Frame[] {
  const decoder = createFrameDecoder();
  const frames: Frame[] = [];
  for (const piece of pieces(random, bytes)) {
    decoder.push(piece);
    for (let frame = decoder.next(strict); frame !== undefined; frame = decoder.next(strict))
      frames.push(frame);
  }
  return frames;
}

const plain = (frames: readonly Frame[]): unknown =>
  frames.map((frame) => ({ ...frame, payload: Buffer.from(frame.payload).toString("base64") }));

test(`frames are what they were, however their bytes are cut (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 50; round += 1) {
    const frames = Array.from({ length: 1 + random.below(8) }, (_, index) => randomFrame(random, index));
    const bytes = Buffer.concat(frames.map(encodeFrame));
    expect(plain(decode(random, bytes, true))).toEqual(plain(frames));
    expect(plain(decode(random, bytes, false))).toEqual(plain(frames));
  }
});

test(`of random bytes nothing becomes a frame, and no other error than the one (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 300; round += 1) {
    const bytes = random.bytes(random.below(5000));
    // Many beginnings of frames.
    if (round % 2 === 0)
      for (let at = 0; at + 4 < bytes.length; at += 1 + random.below(60))
        bytes.set([0x1e, 0x45, 0x54, 0x41], at);
    expect(decode(random, bytes, false)).toEqual([]);
    if (bytes.length < 28) continue;
    expect(() => decode(random, bytes, true)).toThrow(QemuError);
  }
});

test(`a changed, missing or doubled byte is noticed, and the frames before it are whole (seed ${seed})`, () => {
  const random = createRandom(seed);
  for (let round = 0; round < 300; round += 1) {
    const frames = Array.from({ length: 4 }, (_, index) => randomFrame(random, index));
    const whole = Buffer.concat(frames.map(encodeFrame));
    const at = random.below(whole.length);
    const changed = [
      Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]),
      Buffer.concat([whole.subarray(0, at + 1), whole.subarray(at)]),
      Buffer.from(whole.map((byte, index) => (index === at ? byte ^ (1 << random.below(8)) : byte))),
    ][round % 3] as Buffer;
    // What is missing is known when more has come, as it does: the agent answers a ping.
    const bytes = Buffer.concat([
      changed,
      encodeFrame({ type: 70, job: 0, sequence: 4, payload: new Uint8Array(0) }),
    ]);
    const good: Frame[] = [];
    const decoder = createFrameDecoder();
    decoder.push(bytes);
    const all = (): void => {
      for (let frame = decoder.next(true); frame !== undefined; frame = decoder.next(true)) good.push(frame);
    };
    const cut = round % 3 === 0;
    if (!cut) expect(all).toThrow(/damaged/);
    else
      try {
        all();
      } catch (error) {
        expect(error).toMatchObject({ code: "QEMU_AGENT_DAMAGED" });
      }
    expect(plain(good)).toEqual(plain(frames.slice(0, good.length)));
    expect(good.length).toBeLessThanOrEqual(4);
  }
});

test("after noise, and behind what only looks like a frame, a frame is found", () => {
  const frame: Frame = { type: 65, job: 7, sequence: 0, payload: Buffer.from("welcome") };
  const bytes = Buffer.from(encodeFrame(frame));
  const broken = Buffer.from(bytes);
  broken[30] = 0;
  const random = createRandom(1);
  const found = decode(
    random,
    Buffer.concat([Buffer.from("login: \x1eE\x1eETA"), broken, bytes.subarray(0, 20), bytes]),
    false,
  );
  expect(plain(found)).toEqual(plain([frame]));
});
