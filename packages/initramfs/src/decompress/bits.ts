/** Reads bits from the highest on, as bzip2 has them. */
export interface Bits {
  readonly bytes: Uint8Array;
  /** The next byte. */
  at: number;
  /** Whether the end of the input was met. */
  ended: boolean;
  hold: number;
  held: number;
}

/**
 * Up to 24 bits. Where the input ends it gives 0, once: get_bits() of lib/decompress_bunzip2.c then forgets where the end
 * was, and reads on in what lies behind the image, taken to be zeros here, until that makes no sense.
 */
export function take(bits: Bits, count: number): number {
  while (bits.held < count) {
    if (bits.at === bits.bytes.length && !bits.ended) {
      bits.ended = true;
      return 0;
    }
    bits.hold = (bits.hold << 8) | (bits.bytes[bits.at++] ?? 0);
    bits.held += 8;
  }
  bits.held -= count;
  return (bits.hold >>> bits.held) & ((1 << count) - 1);
}

/** The next 32 bits. */
export function takeWord(bits: Bits): number {
  const { ended } = bits;
  const high = take(bits, 16);
  if (bits.ended !== ended) return 0;
  const low = take(bits, 16);
  return bits.ended === ended ? ((high << 16) | low) >>> 0 : 0;
}
