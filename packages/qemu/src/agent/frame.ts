import { crc32 } from "node:zlib";
import { QemuError } from "../errors.ts";

/**
 * The wire format between host and guest agent, the same in both directions; assets/agent/frame.h is the guest's side
 * of it. Seven little-endian 32-bit words (magic, type, job, sequence, length, CRC-32 of the payload, CRC-32 of the
 * words before), then the payload.
 */
export interface Frame {
  readonly type: number;
  readonly job: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

export const FrameType = {
  hello: 1,
  exec: 2,
  read: 3,
  write: 4,
  input: 5,
  credit: 6,
  kill: 7,
  reseed: 8,
  poweroff: 9,
  bye: 10,
  ping: 11,
  ready: 64,
  welcome: 65,
  output: 66,
  errors: 67,
  end: 68,
  damaged: 69,
  pong: 70,
} as const;

const MAGIC = 0x41_54_45_1e;
const MAGIC_START = MAGIC & 0xff;
const HEADER = 28;
/** What one frame of the agent may carry, and what it takes. */
export const MAX_FROM_AGENT = 1_048_576;
export const MAX_TO_AGENT = 65_536;

export function encodeFrame({ type, job, sequence, payload }: Frame): Uint8Array {
  const frame = Buffer.alloc(HEADER + payload.length);
  [MAGIC, type, job, sequence, payload.length, crc32(payload)].forEach((word, index) =>
    frame.writeUInt32LE(word, 4 * index),
  );
  frame.writeUInt32LE(crc32(frame.subarray(0, 24)), 24);
  frame.set(payload, HEADER);
  return frame;
}

export interface FrameDecoder {
  push(bytes: Uint8Array): void;
  /**
   * The next frame that is complete. Strictly: every byte belongs to a frame, or it throws `QEMU_AGENT_DAMAGED`;
   * otherwise what is no frame is passed over, as before the beginning of a session.
   */
  next(strict: boolean): Frame | undefined;
}

export function createFrameDecoder(): FrameDecoder {
  const queue: Buffer[] = [];
  let have = 0;

  const unread = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    queue.unshift(bytes);
    have += bytes.length;
  };

  /** As one piece; copied only where it came in several. */
  const take = (count: number): Buffer => {
    const parts: Buffer[] = [];
    let missing = count;
    while (missing > 0) {
      const [first] = queue;
      if (first === undefined) break;
      const part = first.subarray(0, missing);
      if (part.length === first.length) queue.shift();
      else queue[0] = first.subarray(missing);
      parts.push(part);
      missing -= part.length;
    }
    have -= count - missing;
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  };

  const seekMagic = (): void => {
    for (let [first] = queue; first !== undefined; [first] = queue) {
      const at = first.indexOf(MAGIC_START);
      if (at >= 0) {
        take(at);
        return;
      }
      take(first.length);
    }
  };

  return {
    push: (bytes) => {
      if (bytes.length > 0) queue.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      have += bytes.length;
    },
    next: (strict) => {
      for (;;) {
        if (!strict) seekMagic();
        if (have < HEADER) return undefined;
        const header = take(HEADER);
        const length = header.readUInt32LE(16);
        const isHeader =
          header.readUInt32LE(0) === MAGIC &&
          header.readUInt32LE(24) === crc32(header.subarray(0, 24)) &&
          length <= MAX_FROM_AGENT;
        if (isHeader && have < length) {
          unread(header);
          return undefined;
        }
        const payload = isHeader ? take(length) : Buffer.alloc(0);
        if (isHeader && crc32(payload) === header.readUInt32LE(20))
          return {
            type: header.readUInt32LE(4),
            job: header.readUInt32LE(8),
            sequence: header.readUInt32LE(12),
            payload,
          };
        if (strict)
          throw damaged(
            isHeader
              ? "the content of a frame is damaged"
              : `what came is no frame (${header.toString("hex")})`,
          );
        // A frame may begin within what looked like this one.
        unread(payload);
        unread(header.subarray(1));
      }
    },
  };
}

export function damaged(what: string): QemuError {
  return new QemuError("QEMU_AGENT_DAMAGED", `The connection with the guest's agent is damaged: ${what}`, {
    hint: "Something else writes to the same port, or reads from it",
  });
}
