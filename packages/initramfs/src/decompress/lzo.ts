import { unpackLzo1x } from "./lzo1x.ts";
import { OutputLimit, type Unpacked } from "./output.ts";

const MAGIC = [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a];
/** The smallest and the largest block of lzop that lib/decompress_unlzo.c takes. */
const HEADER_MIN = 9 + 7 + 4 + 8 + 1 + 4;
const BLOCK = 256 << 10;
/** From this version of lzop on the header has a level, and a time of 64 bits. */
const VERSION_LEVEL = 0x0940;
const HAS_FILTER = 0x800;

/**
 * As lib/decompress_unlzo.c does (read in 6.12): of lzop's header only the size matters, a block is a piece, and none of
 * the checksums is looked at; of a block there is taken to be one, whatever the header says.
 */
export function unlzo(bytes: Uint8Array, limit: number): Unpacked {
  const pieces: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = headerSize(bytes, view);
  if (start === undefined) return { pieces, consumed: 0, error: "invalid header" };
  let at = start;
  let written = 0;
  const failed = (error: string): Unpacked => ({ pieces, consumed: at, error });
  for (;;) {
    if (bytes.length - at < 4) return failed("file corrupted");
    const size = view.getUint32(at);
    if (size === 0) return { pieces, consumed: at + 4 };
    if (size > BLOCK) return failed("dest len longer than block size");
    if (bytes.length - at < 12) return failed("file corrupted");
    const packed = view.getUint32(at + 4);
    if (packed === 0 || packed > size || bytes.length - at - 12 < packed) return failed("file corrupted");
    written += size;
    if (written > limit) throw new OutputLimit();
    const from = at + 12;
    const block =
      packed === size ? bytes.slice(from, from + size) : unpackLzo1x(bytes, from, from + packed, size);
    if (block === undefined) return failed("Compressed data violation");
    pieces.push(block);
    at = from + packed;
  }
}

function headerSize(bytes: Uint8Array, view: DataView): number | undefined {
  if (bytes.length < HEADER_MIN || MAGIC.some((byte, index) => bytes[index] !== byte)) return undefined;
  const hasLevel = view.getUint16(9) >= VERSION_LEVEL;
  let at = hasLevel ? 17 : 16;
  at += (view.getUint32(at) & HAS_FILTER) !== 0 ? 8 : 4;
  if (bytes.length - at < 8 + 1 + 4) return undefined;
  at += hasLevel ? 12 : 8;
  // A name, and the checksum of the header.
  const end = at + 1 + (bytes[at] ?? 0) + 4;
  return end > bytes.length ? undefined : end;
}
