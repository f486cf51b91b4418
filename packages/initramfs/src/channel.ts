import { crc32 } from "node:zlib";

import type { ChannelFrame } from "./channel-frame.ts";

const START = 0x1e;
const NEWLINE = 0x0a;
/** Larger than any /proc file that is sent; a line beyond it is noise. */
const MAX_LINE = 16 << 20;

/**
 * Reads the frames of the control channel as they come in. Bytes outside of frames are passed over; a frame
 * whose checksum or number is wrong is told as `damaged`, never repaired. Needs memory for one line.
 *
 * @example
 * ```ts
 * import { decodeChannel } from "@justenough/initramfs";
 * async function* serial() {
 *   yield new TextEncoder().encode("\x1e0 note aGVsbG8= d1425d9f\n");
 * }
 * for await (const frame of decodeChannel(serial())) console.log(frame.type); // note
 * ```
 */
export async function* decodeChannel(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<ChannelFrame, void, undefined> {
  let expected = 0;
  let parts: Uint8Array[] = [];
  let length = 0;
  let inside = false;
  for await (const chunk of bytes) {
    let at = 0;
    while (at < chunk.length) {
      if (!inside) {
        const start = chunk.indexOf(START, at);
        if (start < 0) break;
        at = start + 1;
        inside = true;
        continue;
      }
      const newline = chunk.indexOf(NEWLINE, at);
      const end = newline < 0 ? chunk.length : newline;
      parts.push(chunk.slice(at, end));
      length += end - at;
      at = end + 1;
      if (newline < 0 && length <= MAX_LINE) continue;
      const line = Buffer.concat(parts);
      parts = [];
      length = 0;
      inside = false;
      const frame = parseLine(line, expected);
      if (frame.type !== "damaged" && frame.seq > expected) {
        yield {
          type: "damaged",
          seq: expected,
          reason: `frames ${expected} to ${frame.seq - 1} are missing`,
        };
      }
      yield frame;
      expected = frame.type === "damaged" ? expected : frame.seq + 1;
    }
  }
  if (inside && length > 0)
    yield { type: "damaged", seq: expected, reason: "the channel ended inside a frame" };
}

function parseLine(bytes: Buffer, expected: number): ChannelFrame {
  const damaged = (reason: string): ChannelFrame => ({ type: "damaged", seq: expected, reason });
  // A start byte in the middle means that the line before it was cut.
  const line = bytes.toString("latin1").split("\x1e").at(-1) as string;
  const match = /^(\d{1,9}) ([a-z-]{1,32}) ([A-Za-z0-9+/=]*) ([0-9a-f]{1,8})\r?$/.exec(line);
  if (match === null) return damaged("a line is not in the form of a frame");
  const [, number, type, payload, sum] = match as unknown as [string, string, string, string, string];
  if (crc32(`${number} ${type} ${payload}`) !== parseInt(sum, 16)) {
    return damaged(`the checksum of frame ${number} (${type}) is wrong`);
  }
  try {
    return parsePayload(Number(number), type, Buffer.from(payload, "base64"));
  } catch {
    return damaged(`the content of frame ${number} (${type}) is not understood`);
  }
}

type Fields = Readonly<Record<string, unknown>>;

function parsePayload(seq: number, type: string, payload: Buffer): ChannelFrame {
  const fields = (): Fields => JSON.parse(payload.toString()) as Fields;
  switch (type) {
    case "init": {
      const json = fields();
      const { release, machine, bundle } = json;
      return {
        seq,
        type,
        release: text(release),
        machine: text(machine),
        bundle: text(bundle),
        ...time(json),
      };
    }
    case "note":
      return { seq, type, text: payload.toString() };
    case "start": {
      const json = fields();
      return { seq, type, pid: number(json["pid"]), ...time(json) };
    }
    case "net": {
      const json = fields();
      const words = { interface: text(json["interface"]), address: text(json["address"]) };
      return {
        seq,
        type,
        ...words,
        gateway: text(json["gateway"]),
        method: text(json["method"]),
        ...time(json),
      };
    }
    case "exit": {
      const json = fields();
      const how = "signal" in json ? { signal: number(json["signal"]) } : { status: number(json["status"]) };
      return { seq, type, ...how, ...time(json) };
    }
    case "fail": {
      const json = fields();
      return {
        seq,
        type,
        what: text(json["what"]),
        errno: number(json["errno"]),
        message: text(json["message"]),
      };
    }
    case "file": {
      const end = payload.indexOf(NEWLINE);
      const json = JSON.parse(payload.toString("utf8", 0, end)) as Fields;
      return { seq, type, name: text(json["name"]), ...time(json), bytes: payload.subarray(end + 1) };
    }
    case "report-end": {
      const json = fields();
      return { seq, type, windowMs: number(json["window_ms"]), ...time(json) };
    }
    case "end":
      return { seq, type, ...time(fields()) };
    default:
      return { seq, type: "unknown", name: type, payload };
  }
}

function time(json: Fields): { monotonicNs: number } {
  return { monotonicNs: number(json["monotonic_ns"]) };
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new TypeError("no text");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number") throw new TypeError("no number");
  return value;
}
