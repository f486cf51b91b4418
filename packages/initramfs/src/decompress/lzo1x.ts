import { copy, copyBack } from "./output.ts";

/**
 * One block of LZO1X as lib/lzo/lzo1x_decompress_safe.c takes it (its format: Documentation/staging/lzo.rst), also with
 * the runs of zeros that Linux added; `undefined` when it is damaged or does not have the size.
 */
export function unpackLzo1x(
  bytes: Uint8Array,
  start: number,
  end: number,
  size: number,
): Uint8Array | undefined {
  if (end - start < 3) return undefined;
  const out = new Uint8Array(size);
  let at = start;
  let to = 0;
  let runs = false;
  if (end - start >= 5 && bytes[at] === 17) {
    runs = bytes[at + 1] !== 0;
    at += 2;
  }

  /** Literals; three bytes have to follow, as no block ends with them. */
  const literals = (length: number): boolean => {
    if (length > size - to || length + 3 > end - at) return false;
    copy(out, to, bytes, at, at + length);
    at += length;
    to += length;
    return true;
  };
  const match = (distance: number, length: number): boolean => {
    if (distance > to || length > size - to) return false;
    copyBack(out, to, distance, length);
    to += length;
    return true;
  };
  /** A length that did not fit: every zero byte adds 255, the byte after them its value. */
  const longer = (base: number): number => {
    let length = base;
    for (; bytes[at] === 0 && at < end; at++) length += 255;
    return at < end ? length + (bytes[at++] as number) : Number.POSITIVE_INFINITY;
  };

  // How many literals came last: none, 1 to 3, or 4 for a run of them.
  let state = 0;
  if ((bytes[at] as number) > 17) {
    const length = (bytes[at++] as number) - 17;
    if (!literals(length)) return undefined;
    state = Math.min(length, 4);
  }
  for (;;) {
    const code = bytes[at++] as number;
    if (code < 16 && state === 0) {
      if (!literals(code === 0 ? longer(18) : code + 3)) return undefined;
      state = 4;
      continue;
    }
    let distance: number;
    let length: number;
    let tail: number;
    if (code < 16) {
      distance = (code >> 2) + ((bytes[at++] as number) << 2) + (state === 4 ? 0x801 : 1);
      length = state === 4 ? 3 : 2;
      tail = code;
    } else if (code >= 64) {
      distance = ((code >> 2) & 7) + ((bytes[at++] as number) << 3) + 1;
      length = (code >> 5) + 1;
      tail = code;
    } else {
      const far = code < 32;
      if (far && end - at < 2) return undefined;
      tail = word(bytes, at);
      if (far && runs && tail >= 0xfffc && (code & 0x18) === 0x18) {
        if (end - at < 3) return undefined;
        const zeros = ((code & 7) | ((bytes[at + 2] as number) << 3)) + 4;
        at += 3;
        if (zeros > size - to) return undefined;
        to += zeros;
        state = tail & 3;
        if (!literals(state)) return undefined;
        continue;
      }
      const mask = far ? 7 : 31;
      length = (code & mask) + 2;
      if (length === 2) {
        length = longer(mask + 2);
        if (end - at < 2) return undefined;
        tail = word(bytes, at);
      }
      at += 2;
      distance = (tail >> 2) + (far ? (code & 8) << 11 : 1);
      // The end is a match of length 3 at no distance.
      if (far && distance === 0) return length === 3 && at === end && to === size ? out : undefined;
      if (far) distance += 0x4000;
    }
    if (!match(distance, length)) return undefined;
    state = tail & 3;
    if (!literals(state)) return undefined;
  }
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
