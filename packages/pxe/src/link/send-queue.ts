/** Bytes that were sent and may have to be sent again, by their position in the stream. */
export interface SendQueue {
  push(bytes: Uint8Array): void;
  /** What lies from a position on, in parts. */
  parts(from: number, length: number): Uint8Array[];
  /** Forget what lies before a position. */
  release(below: number): void;
  readonly length: number;
}

/** Make a queue whose first byte will have the position `first`. */
export function sendQueue(first: number): SendQueue {
  let chunks: { readonly at: number; readonly bytes: Uint8Array }[] = [];
  let end = first;
  let start = first;
  return {
    get length() {
      return end - start;
    },
    push(bytes) {
      if (bytes.length === 0) return;
      chunks.push({ at: end, bytes });
      end += bytes.length;
    },
    parts(from, length) {
      const parts: Uint8Array[] = [];
      for (const { at, bytes } of chunks) {
        if (at >= from + length) break;
        const part = bytes.subarray(Math.max(0, from - at), Math.min(bytes.length, from + length - at));
        if (at + bytes.length > from && part.length > 0) parts.push(part);
      }
      return parts;
    },
    release(below) {
      start = Math.min(below, end);
      const kept = chunks.findIndex(({ at, bytes }) => at + bytes.length > start);
      if (kept !== 0) chunks = kept < 0 ? [] : chunks.slice(kept);
    },
  };
}
