import { inBlocks } from "./byte-blocks.ts";

/** The kernel's unlz4() takes blocks of no more than this (lib/decompress_unlz4.c). */
const BLOCK = 8 << 20;
const HASH_BITS = 16;
const MIN_MATCH = 4;
const MAX_DISTANCE = 0xffff;
/** A block ends with literals, and no match starts in its last bytes (lz4_Block_format.md, end of block). */
const LAST_LITERALS = 5;
const LAST_MATCH = 12;

/** Compresses to the legacy frame of lz4, the only one that the kernel reads. */
export async function* lz4Legacy(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield Uint8Array.of(0x02, 0x21, 0x4c, 0x18);
  const table = new Int32Array(1 << HASH_BITS);
  for await (const block of inBlocks(source, BLOCK)) {
    const packed = compressBlock(block, table);
    const size = Buffer.alloc(4);
    size.writeUInt32LE(packed.length);
    yield size;
    yield packed;
  }
}

/** One block: for every four bytes the last place where the same four stood is looked up, and taken if near enough. */
function compressBlock(source: Uint8Array, table: Int32Array): Uint8Array {
  const out = new Uint8Array(source.length + Math.ceil(source.length / 255) + 16);
  table.fill(-1);
  let at = 0;
  let literals = 0;
  let end = 0;
  let misses = 0;
  const lastMatch = source.length - LAST_MATCH;
  while (at < lastMatch) {
    const word = wordAt(source, at);
    const slot = Math.imul(word, 0x9e3779b1) >>> (32 - HASH_BITS);
    const before = table[slot] as number;
    table[slot] = at;
    if (before < 0 || at - before > MAX_DISTANCE || wordAt(source, before) !== word) {
      // Where nothing repeats, ever larger steps.
      at += 1 + (misses++ >> 6);
      continue;
    }
    misses = 0;
    let start = at;
    let from = before;
    while (start > literals && from > 0 && source[start - 1] === source[from - 1]) {
      start--;
      from--;
    }
    let stop = at + MIN_MATCH;
    const limit = source.length - LAST_LITERALS;
    while (stop < limit && source[stop] === source[stop - start + from]) stop++;
    end = writeSequence(out, end, source.subarray(literals, start), {
      distance: start - from,
      length: stop - start,
    });
    at = stop;
    literals = stop;
  }
  end = writeSequence(out, end, source.subarray(literals), undefined);
  return out.subarray(0, end);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  );
}

/** Literals, then a match unless it is the last sequence; gives the end of what was written. */
function writeSequence(
  out: Uint8Array,
  start: number,
  literals: Uint8Array,
  match: { readonly distance: number; readonly length: number } | undefined,
): number {
  const extra = match === undefined ? 0 : match.length - MIN_MATCH;
  let at = start;
  out[at++] = (Math.min(literals.length, 15) << 4) | Math.min(extra, 15);
  at = writeLength(out, at, literals.length);
  out.set(literals, at);
  at += literals.length;
  if (match === undefined) return at;
  out[at++] = match.distance & 0xff;
  out[at++] = match.distance >> 8;
  return writeLength(out, at, extra);
}

// What does not fit into the four bits of the token.
function writeLength(out: Uint8Array, start: number, length: number): number {
  if (length < 15) return start;
  let at = start;
  let left = length - 15;
  for (; left >= 255; left -= 255) out[at++] = 255;
  out[at++] = left;
  return at;
}
