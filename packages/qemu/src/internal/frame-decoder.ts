import { QemuError } from "../errors.ts";
import { MAX_FRAME } from "./ethernet.ts";

/** Length of a frame, big-endian, before it: how QEMU's `-netdev socket` and `stream` talk (net/net.c, net_fill_rstate). */
const HEADER = 4;

export interface FrameDecoder {
  /** The frames that are complete with this chunk, as views where that is possible; none after a failure. */
  push(chunk: Uint8Array): Uint8Array[];
  /** Why nothing more can be understood: a frame of an impossible length was announced. */
  readonly failure: QemuError | undefined;
}

/** Takes a byte stream apart into frames; keeps at most one frame that is not complete. */
export function createFrameDecoder(): FrameDecoder {
  const header = new Uint8Array(HEADER);
  let headerLength = 0;
  /** The frame that is under way once its length is known. */
  let frame: Uint8Array | undefined;
  let frameLength = 0;
  let failure: QemuError | undefined;

  return {
    push: (chunk) => {
      const frames: Uint8Array[] = [];
      let at = 0;
      while (failure === undefined && at < chunk.length) {
        if (frame === undefined) {
          const part = chunk.subarray(at, at + HEADER - headerLength);
          header.set(part, headerLength);
          headerLength += part.length;
          at += part.length;
          if (headerLength < HEADER) break;
          headerLength = 0;
          const length = new DataView(header.buffer).getUint32(0);
          if (length > MAX_FRAME) {
            failure = tooLong(length);
          } else if (at + length <= chunk.length) {
            frames.push(chunk.subarray(at, at + length));
            at += length;
          } else {
            frame = new Uint8Array(length);
            frameLength = 0;
          }
          continue;
        }
        const part = chunk.subarray(at, at + frame.length - frameLength);
        frame.set(part, frameLength);
        frameLength += part.length;
        at += part.length;
        if (frameLength < frame.length) break;
        frames.push(frame);
        frame = undefined;
      }
      return frames;
    },
    get failure() {
      return failure;
    },
  };
}

/** A frame as it goes over the stream. */
export function encodeFrame(frame: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER + frame.length);
  new DataView(bytes.buffer).setUint32(0, frame.length);
  bytes.set(frame, HEADER);
  return bytes;
}

function tooLong(length: number): QemuError {
  return new QemuError(
    "QEMU_FRAME_INVALID",
    `The peer announced a frame of ${length} bytes, and the longest has ${MAX_FRAME}`,
    { hint: "It speaks something else than QEMU's stream of frames, or lost its place in it" },
  );
}
