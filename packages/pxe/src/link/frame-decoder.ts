/** Length of a frame, big-endian, before it: how QEMU's `-netdev stream` and `socket` talk (net/net.c). */
const HEADER = 4;
/** QEMU itself ends a connection that announces more than 68 KiB. */
const MOST = 65_536 + 4096;

/** Takes a stream of bytes apart into frames. */
export interface FrameDecoder {
  /** The frames that are complete with this chunk; undefined when the stream is not made of frames. */
  push(chunk: Uint8Array): readonly Uint8Array[] | undefined;
}

/** Make a decoder; it keeps at most one incomplete frame. */
export function frameDecoder(): FrameDecoder {
  let rest: Uint8Array = new Uint8Array(0);
  return {
    push(chunk) {
      let bytes = chunk;
      if (rest.length > 0) {
        bytes = new Uint8Array(rest.length + chunk.length);
        bytes.set(rest);
        bytes.set(chunk, rest.length);
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const frames: Uint8Array[] = [];
      let at = 0;
      while (bytes.length - at >= HEADER) {
        const length = view.getUint32(at);
        if (length > MOST) return undefined;
        if (bytes.length - at - HEADER < length) break;
        frames.push(bytes.subarray(at + HEADER, at + HEADER + length));
        at += HEADER + length;
      }
      rest = bytes.slice(at);
      return frames;
    },
  };
}

/** What comes before a frame in the stream. */
export function frameHeader(frame: Uint8Array): Uint8Array {
  const header = new Uint8Array(HEADER);
  new DataView(header.buffer).setUint32(0, frame.length);
  return header;
}
