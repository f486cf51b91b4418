const MAGIC = 0x184c2102;
/** What a block holds at most, unpacked (lz4's "legacy frame"). */
const BLOCK = 8 << 20;

/**
 * Unpacks lz4's legacy format, which the kernel's images have: blocks, each with its packed length before it
 * (lib/decompress_unlz4.c; lz4's own lz4_Block_format.md). Undefined when the bytes are not that.
 */
export function unpackLz4Legacy(packed: Uint8Array, size: number): Uint8Array | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  // A byte stands for 255 at most.
  if (packed.length < 8 || size > packed.length * 255 || view.getUint32(0, true) !== MAGIC) return undefined;
  const out = Buffer.allocUnsafe(size);
  let [at, to] = [4, 0];
  while (to < size) {
    if (at + 4 > packed.length) return undefined;
    const end = at + 4 + view.getUint32(at, true);
    if (end > packed.length) return undefined;
    const done = unpackBlock(packed.subarray(at + 4, end), out.subarray(to, to + BLOCK));
    if (done === undefined || done === 0) return undefined;
    to += done;
    at = end;
  }
  return out;
}

/** Returns how many bytes it became, or undefined when they do not fit together. */
function unpackBlock(block: Uint8Array, out: Buffer): number | undefined {
  let [at, to] = [0, 0];
  // 15 means that further bytes are added, up to the first below 255.
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble !== 15) return sum;
    for (let byte = 255; byte === 255; sum += byte) byte = block[at++] ?? 0;
    return sum;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = length(token >> 4);
    if (at + literals > block.length || to + literals > out.length) return undefined;
    out.set(block.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    // The last sequence is literals alone.
    if (at >= block.length) break;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const match = length(token & 15) + 4;
    if (distance === 0 || distance > to || to + match > out.length) return undefined;
    // A match may reach into what it writes.
    if (distance >= match) out.copyWithin(to, to - distance, to - distance + match);
    else for (let index = 0; index < match; index++) out[to + index] = out[to + index - distance] ?? 0;
    to += match;
  }
  return to;
}
