/** Reads bits from the highest on, as bzip2 has them; after the end of the input it gives zeros. */
export interface Bits {
  readonly bytes: Uint8Array;
  /** The next byte. */
  at: number;
  hold: number;
  held: number;
}

/** Up to 24 bits. Where the input has not that many it gives 0, like get_bits() of lib/decompress_bunzip2.c. */
export function take(bits: Bits, count: number): number {
  while (bits.held < count) {
    if (bits.at === bits.bytes.length) return 0;
    bits.hold = (bits.hold << 8) | (bits.bytes[bits.at++] as number);
    bits.held += 8;
  }
  bits.held -= count;
  return (bits.hold >>> bits.held) & ((1 << count) - 1);
}

/** The next 32 bits. */
export function takeWord(bits: Bits): number {
  return ((take(bits, 16) << 16) | take(bits, 16)) >>> 0;
}
