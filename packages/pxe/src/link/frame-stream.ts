import type { Duplex } from "node:stream";
import { frameDecoder, frameHeader } from "./frame-decoder.ts";
import type { FrameLink } from "./frame-link.ts";

/** Bytes that wait for a machine that does not take them; more are dropped, as a switch does. */
const MOST_WAITING = 4 << 20;

/** Put a frame into a stream, together with the others of this turn of the event loop. */
export function writeFrame(stream: Duplex, frame: Uint8Array): boolean {
  if (stream.writableLength > MOST_WAITING || !stream.writable) return false;
  if (stream.writableCorked === 0) {
    stream.cork();
    process.nextTick(() => stream.uncork());
  }
  stream.write(frameHeader(frame));
  stream.write(frame);
  return true;
}

/**
 * A cable to what speaks QEMU's stream of frames: a connected Unix socket of `-netdev stream`, or the other
 * end of a descriptor that QEMU inherited (`new net.Socket({ fd })`). A stream of something else is cut.
 *
 * @example
 * ```ts
 * import { PassThrough } from "node:stream";
 * import { frameStream } from "@justenough/pxe";
 * const stream = new PassThrough(); // a socket, really
 * stream.write(Uint8Array.of(0, 0, 0, 3, 7, 8, 9));
 * for await (const frame of frameStream(stream).frames) {
 *   console.log(frame.length); // 3
 *   break;
 * }
 * ```
 */
export function frameStream(stream: Duplex): FrameLink {
  return { frames: readFrames(stream), send: (frame) => writeFrame(stream, frame) };
}

async function* readFrames(stream: Duplex): AsyncGenerator<Uint8Array> {
  const decoder = frameDecoder();
  stream.on("error", () => undefined); // a machine that ends is no error of ours
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      const frames = decoder.push(chunk);
      if (!frames) return;
      yield* frames;
    }
  } catch {
    // The same: it was cut.
  } finally {
    stream.destroy();
  }
}
