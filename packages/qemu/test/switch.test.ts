import { duplexPair, type Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { createFrameDecoder, encodeFrame } from "../src/internal/frame-decoder.ts";
import { createRandom } from "../src/internal/random.ts";
import { createSwitch, type CodePort, type SwitchPort, type VirtualSwitch } from "../src/net.ts";
import { collect } from "./support/collect.ts";
import { BROADCAST, dataOf, frameOf } from "./support/frames.ts";

/** What has arrived at each port by now; closes the switch. */
async function arrivals(lan: VirtualSwitch, ports: readonly CodePort[]): Promise<string[][]> {
  lan.close();
  return Promise.all(ports.map(async ({ frames }) => (await collect(frames)).map(dataOf)));
}

/** A port with a stream, and the device's end of that. */
function plugged(lan: VirtualSwitch, name: string): { port: SwitchPort; device: Duplex } {
  const [inside, device] = duplexPair();
  return { port: lan.connect(inside, name), device };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a switch", () => {
  test("learns where addresses are, and sends to all what it can't place or what is for many", async () => {
    const lan = createSwitch();
    const [a, b, c] = ["a", "b", "c"].map((name) => lan.join(name)) as [CodePort, CodePort, CodePort];
    a.send(frameOf(2, 1, "unknown"));
    b.send(frameOf(1, 2, "answer"));
    a.send(frameOf(2, 1, "known"));
    b.send(frameOf(BROADCAST, 2, "broadcast"));
    const multicast = frameOf(0, 3, "multicast");
    multicast.set([0x33, 0x33, 0, 0, 0, 1]);
    c.send(multicast);
    // Behind its own port: not sent back.
    a.send(frameOf(1, 9, "neighbour"));
    // Station 2 moves to c.
    c.send(frameOf(1, 2, "moved"));
    a.send(frameOf(2, 1, "to the new place"));
    expect(await arrivals(lan, [a, b, c])).toEqual([
      ["answer", "broadcast", "multicast", "moved"],
      ["unknown", "known", "multicast"],
      ["unknown", "broadcast", "to the new place"],
    ]);
  });

  test("takes ports and lets them go at any time; what a port had is forgotten with it", async () => {
    const lan = createSwitch();
    const a = lan.join("a");
    const b = lan.join("b");
    b.send(frameOf(BROADCAST, 2));
    b.close();
    expect(b.send(frameOf(1, 2))).toBe(false);
    expect(await b.closed).toBe(undefined);
    const again = lan.join("b");
    const late = lan.join("late");
    expect(lan.ports.map(({ name }) => name)).toEqual(["a", "b", "late"]);
    expect(lan.port("late")?.name).toBe("late");
    expect(lan.port("gone")).toBe(undefined);
    a.send(frameOf(2, 1, "where are you?"));
    expect(await arrivals(lan, [a, again, late])).toEqual([[""], ["where are you?"], ["where are you?"]]);
    expect(lan.ports).toEqual([]);
  });

  test("a name is taken once, and nobody joins after the end", () => {
    const lan = createSwitch();
    lan.join("a");
    expect(() => lan.join("a")).toThrow(expect.objectContaining({ code: "QEMU_NETWORK_NAME_TAKEN" }));
    lan.close();
    for (const late of [() => lan.join("a"), () => lan.record("/dev/null")])
      expect(late).toThrow(expect.objectContaining({ code: "QEMU_NETWORK_CLOSED" }));
  });

  test("thousands of forged addresses are forgotten again, and cost nobody a frame", async () => {
    const lan = createSwitch();
    const [a, b, c] = ["a", "b", "c"].map((name) => lan.join(name)) as [CodePort, CodePort, CodePort];
    b.send(frameOf(1, 2, "here"));
    for (let index = 0; index < 5000; index += 1) {
      const forged = frameOf(1, 1);
      forged.set([2, 0, 0, 7, index >> 8, index & 255], 6);
      // From a's side to a's side: nobody else sees them once 1 is known there.
      if (index === 0) a.send(frameOf(2, 1, "learn me"));
      a.send(forged);
    }
    a.send(frameOf(2, 1, "still"));
    const [, atB, atC] = await arrivals(lan, [a, b, c]);
    expect(atB?.filter((text) => text !== "")).toEqual(["learn me", "still"]);
    // Station 2 was forgotten: its frames go everywhere.
    expect(atC?.filter((text) => text !== "")).toEqual(["here", "still"]);
  });

  test("what a program can't send is refused; what it is sent is its own", async () => {
    const lan = createSwitch();
    const [a, b] = [lan.join("a"), lan.join("b")];
    for (const wrong of [new Uint8Array(13), new Uint8Array(65_554), frameOf(1, BROADCAST)])
      expect(() => a.send(wrong)).toThrow(expect.objectContaining({ code: "QEMU_FRAME_INVALID" }));
    const sent = frameOf(2, 1, "before");
    a.send(sent);
    sent.fill(0);
    a.send(frameOf(2, 1, new Uint8Array(65_553 - 14)));
    lan.close();
    const [first, longest] = await collect(b.frames);
    expect(dataOf(first ?? sent)).toBe("before");
    expect(longest?.length).toBe(65_553);
  });

  test("frames are read again after a pause, by any number of loops, each once", async () => {
    const lan = createSwitch();
    const [a, b] = [lan.join("a"), lan.join("b")];
    const next = async (): Promise<string> => {
      for await (const frame of b.frames) return dataOf(frame);
      return "end";
    };
    const waiting = next();
    a.send(frameOf(2, 1, "one"));
    expect(await waiting).toBe("one");
    a.send(frameOf(2, 1, "two"));
    a.send(frameOf(2, 1, "three"));
    expect([await next(), await next()]).toEqual(["two", "three"]);
    const last = [next(), next()];
    lan.close();
    expect(await Promise.all(last)).toEqual(["end", "end"]);
  });
});

describe("memory is bounded", () => {
  const MIB = 1024 * 1024;
  const big = frameOf(BROADCAST, 1, new Uint8Array(1486));

  test("for a device that takes nothing, and for a program that does not read", async () => {
    const lan = createSwitch();
    const [inside] = duplexPair();
    const stuck = lan.connect(inside, "stuck");
    const [a, lazy, late] = [
      lan.join("a"),
      lan.join("lazy"),
      lan.join("late", { line: { down: { delay: 3_600_000 } } }),
    ];
    const count = Math.ceil((64 * MIB) / big.length);
    for (let index = 0; index < count; index += 1) a.send(big);
    expect(inside.writableLength).toBeGreaterThan(3.9 * MIB);
    expect(inside.writableLength).toBeLessThanOrEqual(4 * MIB);
    for (const port of [stuck, lazy]) {
      const { frames, dropped, bytes } = port.counters().down;
      expect(frames + dropped).toBe(count);
      expect(bytes).toBeLessThanOrEqual(4 * MIB);
    }
    const { dropped } = late.counters().down;
    expect(count - dropped).toBe(Math.floor((4 * MIB) / big.length));
    lan.close();
    expect(await collect(lazy.frames)).toHaveLength(lazy.counters().down.frames);
    expect(inside.destroyed).toBe(true);
  });
});

describe("a stream of frames", () => {
  test("goes both ways, whole", async () => {
    const lan = createSwitch();
    const { port, device } = plugged(lan, "device");
    const a = lan.join("a");
    const decoder = createFrameDecoder();
    const got: string[] = [];
    device.on("data", (chunk: Uint8Array) => got.push(...decoder.push(chunk).map(dataOf)));
    for (let index = 0; index < 100; index += 1) {
      a.send(frameOf(BROADCAST, 1, `${index}`));
      device.write(encodeFrame(frameOf(1, 2, `${index}`)));
    }
    while (got.length < 100) await turn();
    device.end();
    expect(await port.closed).toBe(undefined);
    lan.close();
    const numbers = Array.from({ length: 100 }, (_, index) => String(index));
    expect(got).toEqual(numbers);
    expect((await collect(a.frames)).map(dataOf)).toEqual(numbers);
  });

  test("an impossible length ends that port with an error, and no other", async () => {
    const lan = createSwitch();
    const { port, device } = plugged(lan, "device");
    const [a, b] = [lan.join("a"), lan.join("b")];
    device.write(
      Buffer.concat([encodeFrame(frameOf(BROADCAST, 3, "good")), Buffer.from("HTTP/1.1 400 Bad Request")]),
    );
    expect(await port.closed).toMatchObject({
      code: "QEMU_FRAME_INVALID",
      message: "The peer announced a frame of 1213486160 bytes, and the longest has 65553",
    });
    expect(lan.ports).toHaveLength(2);
    a.send(frameOf(2, 1, "after"));
    expect(await arrivals(lan, [a, b])).toEqual([["good"], ["good", "after"]]);
  });

  test("short frames and those from a group address are dropped and counted", async () => {
    const lan = createSwitch();
    const { port, device } = plugged(lan, "device");
    const a = lan.join("a");
    for (const frame of [new Uint8Array(0), new Uint8Array(13), frameOf(1, BROADCAST)])
      device.write(encodeFrame(frame));
    device.write(encodeFrame(frameOf(1, 2, "good")));
    await turn();
    expect(port.counters()).toMatchObject({ malformed: 3, up: { frames: 1 } });
    expect(await arrivals(lan, [a])).toEqual([["good"]]);
  });

  test("a stream that fails, or has ended before, ends its port alone", async () => {
    const lan = createSwitch();
    const { port, device } = plugged(lan, "device");
    const [gone] = duplexPair();
    gone.destroy();
    expect(await lan.connect(gone, "gone").closed).toBe(undefined);
    device.destroy(new Error("broken"));
    device.on("error", () => undefined);
    expect(await port.closed).toBe(undefined);
    lan.close();
  });
});

describe("fuzz", () => {
  const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_126);

  test(`frames come out whole, however the stream is cut (FUZZ_SEED=${seed})`, () => {
    const random = createRandom(seed);
    const below = (limit: number): number => Math.floor(random() * limit);
    for (let round = 0; round < 300; round += 1) {
      const frames = Array.from({ length: below(20) }, () =>
        Uint8Array.from({ length: below(10) === 0 ? below(65_554) : below(200) }, () => below(256)),
      );
      const stream = Buffer.concat(frames.map(encodeFrame));
      const decoder = createFrameDecoder();
      const got: Uint8Array[] = [];
      for (let at = 0; at < stream.length;) {
        const size = 1 + below(below(4) === 0 ? 4 : 3000);
        got.push(...decoder.push(stream.subarray(at, at + size)));
        at += size;
      }
      expect(Buffer.concat(got.map(encodeFrame)).equals(stream)).toBe(true);
      expect(decoder.failure).toBe(undefined);
    }
  });

  test(`a stream that is damaged ends at most its own port (FUZZ_SEED=${seed})`, async () => {
    const random = createRandom(seed ^ 1);
    const below = (limit: number): number => Math.floor(random() * limit);
    let failures = 0;
    for (let round = 0; round < 300; round += 1) {
      const lan = createSwitch();
      const { port, device } = plugged(lan, "fuzzed");
      const [a, b] = [lan.join("a"), lan.join("b")];
      const stream = Buffer.concat(
        Array.from({ length: 1 + below(8) }, () => encodeFrame(frameOf(1, 3, new Uint8Array(below(80))))),
      );
      for (let count = 1 + below(4); count > 0; count -= 1) stream[below(stream.length)] = below(256);
      device.write(stream.subarray(0, 1 + below(stream.length)));
      await turn();
      b.send(frameOf(BROADCAST, 2, "alive"));
      const ended = lan.port("fuzzed") === undefined;
      device.destroy();
      const error = await port.closed;
      expect(error?.code).toBe(ended ? "QEMU_FRAME_INVALID" : undefined);
      if (ended) failures += 1;
      const [atA] = await arrivals(lan, [a]);
      expect(atA).toContain("alive");
    }
    // Both kinds occurred.
    expect(failures).toBeGreaterThan(10);
    expect(failures).toBeLessThan(290);
  });
});
