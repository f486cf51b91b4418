import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSwitch, type Impairment, type Line } from "../src/net.ts";
import { collect } from "./support/collect.ts";
import { dataOf, frameOf } from "./support/frames.ts";

/** Which of `count` numbered frames of a arrive at b, in their order; `others` send in between. */
async function through(
  line: Line,
  { seed = 0, count = 1000, others = 0, name = "a" } = {},
): Promise<number[]> {
  const lan = createSwitch({ seed });
  const [a, b] = [lan.join(name, { line }), lan.join("b")];
  const more = Array.from({ length: others }, (_, index) => lan.join(`other ${index}`, { line }));
  for (let index = 0; index < count; index += 1) {
    a.send(frameOf(2, 1, `${index}`));
    for (const port of more) port.send(frameOf(3, 4, "other"));
  }
  lan.close();
  return (await collect(b.frames))
    .map(dataOf)
    .filter((text) => text !== "other")
    .map(Number);
}

describe("loss", () => {
  test("follows from the seed, and not from what other ports do", async () => {
    const line = { up: { loss: 0.3 } };
    const once = await through(line);
    expect(await through(line)).toEqual(once);
    expect(await through(line, { others: 2 })).toEqual(once);
    expect(await through(line, { seed: 1 })).not.toEqual(once);
    expect(await through(line, { name: "c" })).not.toEqual(once);
    // 700 are expected; five standard deviations are 73.
    expect(Math.abs(once.length - 700)).toBeLessThan(73);
    // A frame's fate is that of its number: with more loss, others are lost in addition.
    const fewer = await through({ up: { loss: 0.6 } });
    expect(once).toEqual(expect.arrayContaining(fewer));
  });

  test("of one direction is not that of the other; all and none are exact", async () => {
    const all = await through({});
    expect(all).toHaveLength(1000);
    expect(await through({ up: { loss: 1 } })).toEqual([]);
    expect(await through({ down: { loss: 1 } })).toEqual(all);
  });

  test("can begin and end at any time, and is counted", async () => {
    const lan = createSwitch({ line: { down: { loss: 1 } } });
    const [a, b] = [lan.join("a"), lan.join("b")];
    a.send(frameOf(2, 1, "lost"));
    b.impair({ down: {} });
    a.send(frameOf(2, 1, "arrives"));
    a.impair({ up: { loss: 1 } });
    a.send(frameOf(2, 1, "lost too"));
    lan.close();
    expect((await collect(b.frames)).map(dataOf)).toEqual(["arrives"]);
    expect(a.counters().up).toEqual({ frames: 2, bytes: 14 + 4 + 14 + 7, lost: 1, dropped: 0 });
    expect(b.counters().down).toEqual({ frames: 1, bytes: 14 + 7, lost: 1, dropped: 0 });
  });
});

describe("delay", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** Frames as they arrive, with their times, when one is sent each millisecond. */
  async function timed(up: Impairment, count = 200): Promise<{ index: number; at: number }[]> {
    const lan = createSwitch({ seed: 7, line: { up } });
    const [a, b] = [lan.join("a"), lan.join("b")];
    const began = performance.now();
    const got: { index: number; at: number }[] = [];
    const reading = (async () => {
      for await (const frame of b.frames)
        got.push({ index: Number(dataOf(frame)), at: performance.now() - began });
    })();
    for (let index = 0; index < count; index += 1) {
      a.send(frameOf(2, 1, `${index}`));
      await vi.advanceTimersByTimeAsync(1);
    }
    await vi.advanceTimersByTimeAsync(1000);
    lan.close();
    await reading;
    return got;
  }

  test("is that of each frame, and keeps the order also when it varies", async () => {
    const same = await timed({ delay: 50 });
    expect(same).toEqual(Array.from({ length: 200 }, (_, index) => ({ index, at: index + 50 })));
    const varying = await timed({ delay: 50, jitter: 30 });
    expect(varying.map(({ index }) => index)).toEqual(same.map(({ index }) => index));
    for (const { index, at } of varying) expect(at - index).toBeGreaterThanOrEqual(50);
    for (const { index, at } of varying) expect(at - index).toBeLessThanOrEqual(81);
    expect(new Set(varying.map(({ index, at }) => at - index)).size).toBeGreaterThan(5);
    expect(await timed({ delay: 50, jitter: 30 })).toEqual(varying);
  });

  test("lets frames overtake each other when asked", async () => {
    const got = await timed({ delay: 50, jitter: 30, reorder: true });
    const order = got.map(({ index }) => index);
    expect(order).not.toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(200);
    for (const { index, at } of got) expect(at - index).toBeLessThanOrEqual(81);
  });

  test("that ends lets nobody overtake who is under way; a closed port forgets them", async () => {
    const lan = createSwitch();
    const [a, b] = [lan.join("a", { line: { up: { delay: 100 } } }), lan.join("b")];
    a.send(frameOf(2, 1, "late"));
    a.impair({ up: {} });
    a.send(frameOf(2, 1, "next"));
    expect(b.counters().down.frames).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    a.impair({ up: { delay: 10 } });
    a.send(frameOf(2, 1, "never"));
    a.close();
    await vi.advanceTimersByTimeAsync(100);
    expect(vi.getTimerCount()).toBe(0);
    lan.close();
    expect((await collect(b.frames)).map(dataOf)).toEqual(["late", "next"]);
  });
});

test.each<[Line, RegExp]>([
  [{ up: { loss: 1.5 } }, /loss is 1.5, wanted is a number from 0 to 1/],
  [{ down: { loss: -1 } }, /loss is -1/],
  [{ down: { delay: Number.NaN } }, /delay is NaN/],
  [{ up: { jitter: Infinity } }, /jitter is Infinity/],
])("refuses %j", (line, message) => {
  const error = expect.objectContaining({
    code: "QEMU_SPEC_INVALID",
    message: expect.stringMatching(message),
  });
  const lan = createSwitch();
  const port = lan.join("a");
  for (const use of [() => createSwitch({ line }), () => lan.join("b", { line }), () => port.impair(line)])
    expect(use).toThrow(error);
  expect(lan.ports).toEqual([port].map(() => expect.objectContaining({ name: "a" })));
  lan.close();
});
