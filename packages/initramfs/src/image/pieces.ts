import type { CpioRandomSource } from "@justenough/cpio";

/** Pieces that follow each other, as one input; no byte of them is copied. */
export function piecesSource(pieces: readonly Uint8Array[]): CpioRandomSource {
  const starts: number[] = [];
  let size = 0;
  for (const piece of pieces) {
    starts.push(size);
    size += piece.length;
  }
  return {
    size,
    read(offset, length) {
      // The last piece that starts at or before the offset.
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if ((starts[middle] as number) <= offset) low = middle;
        else high = middle - 1;
      }
      const at = offset - (starts[low] ?? 0);
      return pieces[low]?.subarray(at, at + length) ?? new Uint8Array(0);
    },
  };
}
