import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listenFrames, openStation } from "../../src/index.ts";
import { encodeArp } from "../../src/link/arp.ts";
import { BROADCAST_MAC, encodeEthernet } from "../../src/link/ethernet.ts";
import { frameDecoder, frameHeader } from "../../src/link/frame-decoder.ts";
import { mutator } from "../fuzz.ts";
import { OWN } from "./packets.ts";

let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-frames-"));
});
afterAll(() => rm(directory, { recursive: true }));

async function plug(path: string): Promise<{ socket: Socket; got: Buffer[] }> {
  const socket = connect({ path });
  const got: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => got.push(bytes)).on("error", () => undefined);
  await once(socket, "connect");
  return { socket, got };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2);
}

/** A question for the station's address, as frame with its length. */
function question(last: number): Buffer {
  const senderMac = Uint8Array.of(2, 0, 0, 0, 0, last);
  const payload = encodeArp({
    operation: "request",
    senderMac,
    sender: Uint8Array.of(10, 77, 0, last),
    targetMac: new Uint8Array(6),
    target: OWN,
  });
  const frame = encodeEthernet({ to: BROADCAST_MAC, from: senderMac, type: 0x0806, payload });
  return Buffer.concat([frameHeader(frame), frame]);
}

describe("the stream of frames", () => {
  test("in pieces of any size they are the same frames", () => {
    const random = mutator();
    const frames = Array.from({ length: 200 }, () =>
      new Uint8Array(random.below(2000)).fill(random.below(256)),
    );
    const stream = Buffer.concat(frames.flatMap((frame) => [frameHeader(frame), frame]));
    for (const most of [1, 3, 100, 5000, stream.length]) {
      const decoder = frameDecoder();
      const read: Uint8Array[] = [];
      for (let at = 0; at < stream.length;) {
        const size = 1 + random.below(most);
        read.push(...(decoder.push(stream.subarray(at, at + size)) ?? []).map((frame) => frame.slice()));
        at += size;
      }
      expect(read.length).toBe(frames.length);
      expect(Buffer.concat(read).equals(Buffer.concat(frames))).toBe(true);
    }
  });
  test("an impossible length is the end", () => {
    expect(frameDecoder().push(Uint8Array.of(0, 2, 0, 0))).toBeUndefined();
  });
});

describe("machines on a Unix socket", () => {
  test("each is answered, and hears nothing of the others' answers", async () => {
    const path = join(directory, "two.sock");
    const link = await listenFrames(path);
    const station = openStation({ link, address: "10.77.0.1", netmask: "255.255.255.0" });
    const [one, two] = [await plug(path), await plug(path)];
    one.socket.write(question(11));
    await until(() => one.got.length > 0);
    expect(two.got).toEqual([]);
    two.socket.write(question(12));
    await until(() => two.got.length > 0);
    const reply = Buffer.concat(two.got);
    expect(reply.readUInt32BE(0)).toBe(reply.length - 4);
    expect(reply.subarray(4, 16).toString("hex")).toBe("02000000000c52550a4d0001");
    // A machine that ends is replaced by another.
    two.socket.destroy();
    const three = await plug(path);
    three.socket.write(question(12));
    await until(() => three.got.length > 0);
    expect(Buffer.concat(one.got)).toHaveLength(4 + 42);
    await station.close();
    await link.close();
    await expect(stat(path)).rejects.toThrow("ENOENT");
    await until(() => one.socket.closed && three.socket.closed);
  });
  test("one that talks nonsense is cut off, and the others are served on", async () => {
    const path = join(directory, "nonsense.sock");
    await using link = await listenFrames(path);
    await using station = openStation({ link, address: "10.77.0.1", netmask: "255.255.255.0" });
    expect(station.mac).toBe("52:55:0a:4d:00:01");
    const [bad, good] = [await plug(path), await plug(path)];
    bad.socket.write("GET / HTTP/1.1\r\n\r\n");
    await until(() => bad.socket.closed);
    good.socket.write(question(13));
    await until(() => good.got.length > 0);
    good.socket.destroy();
  });
  test("a path that is taken, or cannot be", async () => {
    const path = join(directory, "taken.sock");
    await using link = await listenFrames(path);
    await expect(listenFrames(link.path)).rejects.toMatchObject({ code: "PXE_ADDRESS_IN_USE" });
    await expect(listenFrames("/no/such/place.sock")).rejects.toMatchObject({
      code: "PXE_SOCKET_FAILED",
      message: expect.stringContaining('"/no/such/place.sock"'),
    });
  });
});
