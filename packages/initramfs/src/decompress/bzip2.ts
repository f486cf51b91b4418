import { type Bits, take, takeWord } from "./bits.ts";
import { readBlock } from "./bzip2-block.ts";
import { cut, handedOn, output, type Output, reserve, type Unpacked } from "./output.ts";

const PIECE = 4 << 10;
const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;
/** The unpacker's own, init/initramfs.c, since most failures of bunzip2() have no message. */
const FAILED = "decompressor failed";
const CHECKSUM = "Data integrity error when decompressing.";

/**
 * As lib/decompress_bunzip2.c does (read in 6.12): one stream; what follows is not looked at. At a failure the piece
 * that was not full yet is lost, and so is a full one after which nothing came.
 */
export function bunzip2(bytes: Uint8Array, limit: number): Unpacked {
  const out = output(limit);
  const bits: Bits = { bytes, at: 0, ended: false, hold: 0, held: 0 };
  const end = (error: string): Unpacked => ({
    pieces: cut(out, PIECE, handedOn(out.length, PIECE)),
    consumed: bits.at,
    error,
    ...(bits.at > bytes.length && { readsBeyond: true }),
  });
  const level = bytes[3] === undefined ? 0 : bytes[3] - 0x30;
  if (bytes[0] !== 0x42 || bytes[1] !== 0x5a || bytes[2] !== 0x68 || level < 1 || level > 9)
    return end(FAILED);
  bits.at = 4;
  const block = new Uint32Array(level * 100_000);
  let total = 0;
  for (;;) {
    const magic = [take(bits, 24), take(bits, 24)];
    const expected = takeWord(bits);
    if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) {
      // Of an empty stream the kernel does not come to look at the sum.
      if (out.length > 0 && expected !== total) return { ...end(CHECKSUM), pieces: cut(out, PIECE) };
      return { pieces: cut(out, PIECE), consumed: bits.at };
    }
    if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) return end(FAILED);
    const read = readBlock(bits, block);
    if (read === undefined) return end(FAILED);
    const sum = writeBlock(block, read.length, read.first, out);
    total = (((total << 1) | (total >>> 31)) ^ sum) >>> 0;
    if (sum !== expected) return end(CHECKSUM);
  }
}

/** Walks through the sorted block, repeats what was shortened to four bytes and a count, and gives the checksum. */
function writeBlock(block: Uint32Array, length: number, first: number, out: Output): number {
  let sum = 0xffff_ffff;
  let place = length === 0 ? 0 : (block[first] as number) >>> 8;
  let before = -1;
  let same = 0;
  for (let left = length; left > 0; left--) {
    const entry = block[place] as number;
    place = entry >>> 8;
    const byte = entry & 0xff;
    let times = 1;
    if (same === 4) {
      times = byte;
      same = 0;
    } else {
      same = byte === before ? same + 1 : 1;
      before = byte;
    }
    reserve(out, times);
    for (; times > 0; times--) {
      out.bytes[out.length++] = before;
      sum = (sum << 8) ^ (CRC[(sum >>> 24) ^ before] as number);
    }
    if (same === 0) before = -1;
  }
  return ~sum >>> 0;
}

/** CRC-32 from the highest bit on. */
const CRC = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte << 24;
  for (let bit = 0; bit < 8; bit++) sum = sum < 0 ? (sum << 1) ^ 0x04c11db7 : sum << 1;
  return sum;
});
