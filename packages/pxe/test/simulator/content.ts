/** A prime length: no block size divides it, so a block that is in the wrong place is seen. */
const PERIOD = 1_000_003;
const pattern = new Uint8Array(PERIOD + 65_536);
for (let index = 0, word = 1; index < PERIOD; index++) {
  word = (Math.imul(word, 1_103_515_245) + 12_345) >>> 0;
  pattern[index] = word >>> 24;
}
pattern.copyWithin(PERIOD, 0, 65_536);

/** Bytes of a file that is nowhere, at any offset; at most 65,536. The caller leaves them as they are. */
export function contentAt(offset: number, length: number): Uint8Array {
  const start = offset % PERIOD;
  return pattern.subarray(start, start + length);
}

/** A whole file of such bytes. */
export function content(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) bytes.set(contentAt(at, Math.min(65_536, size - at)), at);
  return bytes;
}

/** Looks at each piece as it comes: whether all were the file's, in order, and how many bytes. */
export function checker(): {
  take(piece: Uint8Array): void;
  readonly bytes: number;
  readonly exact: boolean;
} {
  let bytes = 0;
  let exact = true;
  return {
    take(piece) {
      if (Buffer.compare(piece, contentAt(bytes, piece.length)) !== 0) exact = false;
      bytes += piece.length;
    },
    get bytes() {
      return bytes;
    },
    get exact() {
      return exact;
    },
  };
}
