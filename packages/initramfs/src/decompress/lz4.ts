import { cut, output, type Output, repeat, reserve, append, type Unpacked } from "./output.ts";

const MAGIC = 0x184c2102;
/** What lib/decompress_unlz4.c unpacks at a time, and no block may be larger. */
const PIECE = 8 << 20;
/** lz4_Block_format.md, end of block: a block ends with literals, and no match starts in its last bytes. */
const LAST_LITERALS = 5;
const LAST_MATCH = 12;

/**
 * As lib/decompress_unlz4.c does (read in 6.12): block after block up to the end of the image, less than four bytes, or
 * a size of zero, which is not consumed. What follows without zeros is taken for the size of a block, the magic number
 * alone is stepped over.
 */
export function unlz4(bytes: Uint8Array, limit: number): Unpacked {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4 || view.getUint32(0, true) !== MAGIC) {
    return { pieces: [], consumed: 0, error: "invalid header" };
  }
  const pieces: Uint8Array[] = [];
  let written = 0;
  let at = 4;
  while (bytes.length - at >= 4) {
    const size = view.getUint32(at, true);
    if (size === 0) break;
    at += 4;
    if (size === MAGIC) continue;
    const out = output(limit - written);
    const isCutOff = size > bytes.length - at;
    const from = isCutOff ? withZeros(bytes.subarray(at)) : bytes.subarray(at, at + size);
    const read = size < 2 ** 31 ? unpackBlock(from, size, out) : -1;
    if (read < 0) {
      const failed = { pieces, consumed: at, error: "Decoding failed" };
      return -read > bytes.length - at ? { ...failed, readsBeyond: true } : failed;
    }
    pieces.push(...cut(out, PIECE));
    written += out.length;
    at += size;
    if (isCutOff) return { pieces, consumed: at, error: "data corrupted", readsBeyond: true };
  }
  return { pieces, consumed: at };
}

/**
 * A block that ends after the image is read on in what lies behind, taken to be zeros here, which it is in a machine that
 * was just switched on. More of them than a full piece needs are not read.
 */
function withZeros(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(bytes.length + 2 * PIECE);
  padded.set(bytes);
  return padded;
}

/**
 * One block as LZ4_decompress_safe() of lib/lz4 takes it, which is stricter near the end than the format. Gives how far it
 * was read, less than zero at an error.
 */
function unpackBlock(bytes: Uint8Array, end: number, out: Output): number {
  let at = 0;
  for (;;) {
    const token = bytes[at++] as number;
    let length = token >> 4;
    // Far from both ends the kernel copies without the checks below.
    const far = length !== 15 && at < end - 16 && out.length <= PIECE - 32;
    if (length === 15) {
      if (at >= end - 15) return -at;
      let more: number;
      do {
        more = bytes[at++] as number;
        length += more;
      } while (more === 255 && at < end - 15);
    }
    if (!far && (out.length + length > PIECE - LAST_MATCH || at + length > end - 3 - LAST_LITERALS)) {
      if (at + length !== end || out.length + length > PIECE) return -at;
      append(out, bytes, at, end);
      return end;
    }
    append(out, bytes, at, at + length);
    at += length;
    const distance = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
    at += 2;
    if (distance > out.length) return -at;
    length = token & 15;
    if (length === 15) {
      let more: number;
      do {
        more = bytes[at++] as number;
        if (at > end - LAST_LITERALS) return -at;
        length += more;
      } while (more === 255);
    }
    length += 4;
    if (out.length + length > PIECE - LAST_LITERALS) return -at;
    if (distance > 0) {
      repeat(out, distance, length);
    } else {
      // No such distance exists, but the kernel writes zeros for it.
      reserve(out, length);
      out.bytes.fill(0, out.length, out.length + length);
      out.length += length;
    }
  }
}
