import { crc32 } from "node:zlib";

import { describe, expect, test } from "vitest";

import { type ChannelFrame, decodeChannel } from "../src/index.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function line(seq: number, type: string, payload: string | Uint8Array): string {
  const body = `${seq} ${type} ${Buffer.from(payload).toString("base64")}`;
  return `\x1e${body} ${crc32(body).toString(16)}\n`;
}

async function decode(...chunks: Uint8Array[]): Promise<ChannelFrame[]> {
  const frames: ChannelFrame[] = [];
  for await (const frame of decodeChannel(chunks)) frames.push(frame);
  return frames;
}

const stream = [
  line(0, "init", '{"release":"6.1","machine":"x86_64","monotonic_ns":5,"bundle":""}'),
  line(1, "note", "no devpts"),
  line(2, "exit", '{"signal":9,"monotonic_ns":7}'),
  line(3, "file", '{"name":"/proc/modules","monotonic_ns":8}\na b\nc\n'),
  line(4, "end", '{"monotonic_ns":9}'),
].join("");

describe("decodeChannel", () => {
  test("reads frames whatever the chunks, and passes over noise", async () => {
    const whole = encode(`garbage\r\n${stream}\r\nmore garbage`);
    const expected = await decode(whole);
    expect(expected).toEqual([
      { seq: 0, type: "init", release: "6.1", machine: "x86_64", bundle: "", monotonicNs: 5 },
      { seq: 1, type: "note", text: "no devpts" },
      { seq: 2, type: "exit", signal: 9, monotonicNs: 7 },
      { seq: 3, type: "file", name: "/proc/modules", monotonicNs: 8, bytes: Buffer.from("a b\nc\n") },
      { seq: 4, type: "end", monotonicNs: 9 },
    ]);
    for (const size of [1, 2, 7, 64]) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < whole.length; at += size) chunks.push(whole.subarray(at, at + size));
      expect(await decode(...chunks)).toEqual(expected);
    }
  });

  test("tells of every damage", async () => {
    const types = async (text: string): Promise<string[]> =>
      (await decode(encode(text))).map((frame) => (frame.type === "damaged" ? frame.reason : frame.type));
    const broken = stream.replace("bm8gZGV2cHRz", "bm8gZGV3cHRz");
    expect(broken).not.toBe(stream);
    expect(await types(broken)).toEqual([
      "init",
      "the checksum of frame 1 (note) is wrong",
      "frames 1 to 1 are missing",
      "exit",
      "file",
      "end",
    ]);
    expect(await types(line(0, "exit", "{}"))).toEqual(["the content of frame 0 (exit) is not understood"]);
    expect(await types(`\x1ehello\n${line(0, "note", "x")}`)).toEqual([
      "a line is not in the form of a frame",
      "note",
    ]);
    expect(await types(line(0, "note", "x").slice(0, 10))).toEqual(["the channel ended inside a frame"]);
    // A line that was cut by the start of the next frame.
    expect(await types(`\x1e0 no${line(0, "note", "x")}`)).toEqual(["note"]);
    expect(await types(line(0, "later-type", "x"))).toEqual(["unknown"]);
  });
});
