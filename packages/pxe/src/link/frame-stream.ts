import type { Duplex } from "node:stream";
import { frameDecoder, frameHeader } from "./frame-decoder.ts";
import type { FrameLink } from "./frame-link.ts";

/** Bytes that wait for a machine that does not take them; more are dropped, as a switch does. */
const MOST_WAITING = 4 << 20;

/**
 * What puts frames into a stream; false when a frame was dropped. Those of one turn of the event loop go in one
 * piece: for small writes the call is what costs.
 */
export function frameWriter(stream: Duplex): (frame: Uint8Array) => boolean {
  let parts: Uint8Array[] = [];
  const flush = (): void => {
    const bytes = Buffer.concat(parts);
    parts = [];
    if (stream.writable) stream.write(bytes);
  };
  return (frame) => {
    if (stream.writableLength > MOST_WAITING || !stream.writable) return false;
    if (parts.length === 0) process.nextTick(flush);
    parts.push(frameHeader(frame), frame);
    return true;
  };
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
  return { frames: readFrames(stream), send: frameWriter(stream) };
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
