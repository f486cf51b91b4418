import { zstdDecompressSync } from "node:zlib";

import { append, cut, handedOn, output, type Output, OutputLimit, type Unpacked } from "./output.ts";
import { fits, type FrameBlock, type FrameHeader, readBlocks, readFrameHeader } from "./zstd-frame.ts";

/** How much lib/decompress_unzstd.c takes from the library at a time. */
const PIECE = 128 << 10;
const RAW = 0;

const CORRUPT = "ZSTD-compressed data is corrupt";
const PROBABLY_CORRUPT = "ZSTD-compressed data is probably corrupt";
const TRUNCATED = "ZSTD-compressed data is truncated";
const HEADER_ERRORS: Readonly<Record<string, string>> = {
  magic: "Input is not in the ZSTD format (wrong magic bytes)",
  shortHeader: "ZSTD-compressed data has an incomplete frame header",
};
/** Those of the library's errors that handle_zstd_error() names. */
const CORRUPT_CODES = new Set([
  "ZSTD_error_corruption_detected",
  "ZSTD_error_checksum_wrong",
  "ZSTD_error_dstSize_tooSmall",
]);

/**
 * As lib/decompress_unzstd.c does (read in 6.12): one frame; its checksum is verified. The library writes into a buffer
 * of one piece, which the kernel hands on when it is full, or when the input ends; at an error it is lost. A frame that
 * tells a size of no more than a piece is decompressed at once, and then its window may be of any size.
 * For a window of more than 128 MiB the kernel wants that memory before it refuses it; a machine is taken to have 4 GiB
 * here. Which damage is noticed is up to the library: Node's, as that of Linux 6.16, misses some in literals that 6.12
 * notices (1.5.7 and 1.5.2); the checksum, if there is one, tells it all the same.
 */
export function unzstd(bytes: Uint8Array, limit: number): Unpacked {
  const failed = (error: string, pieces: Uint8Array[] = []): Unpacked => ({ pieces, consumed: 0, error });
  const header = readFrameHeader(bytes);
  if (typeof header === "string") return failed(HEADER_ERRORS[header] ?? PROBABLY_CORRUPT);
  const { blocks, end, fault } = readBlocks(bytes, header);
  const atOnce = fault === undefined && (header.contentSize ?? Number.POSITIVE_INFINITY) <= PIECE;
  if (header.window > 2 ** 32) return failed("Out of memory while allocating ZSTD_DStream");
  if (header.hasDictionary || (!atOnce && !fits(header))) return failed(PROBABLY_CORRUPT);

  if (fault === undefined) {
    const whole = decompress(bytes.subarray(0, end), limit);
    if (typeof whole !== "string") return { pieces: cut(whole, PIECE), consumed: end };
    if (atOnce) return failed(messageOf(whole));
  }
  const prefix = longestPrefix(bytes, header, blocks, limit);
  const { out } = prefix;
  if (prefix.error !== undefined) {
    return failed(messageOf(prefix.error), cut(out, PIECE, handedOn(out.length, PIECE)));
  }
  // All blocks that are there are sound.
  if (fault === "truncated") return failed(TRUNCATED, truncated(bytes, blocks, end, prefix));
  const wrongSize =
    fault === undefined && header.contentSize !== undefined && header.contentSize !== out.length;
  // The size is compared before the last block is handed on, the checksum after it.
  const length = wrongSize ? out.length - prefix.last : out.length;
  return failed(CORRUPT, cut(out, PIECE, handedOn(length, PIECE)));
}

/** What comes out before the input ends: not what had no room in the buffer when the last of it was taken. */
function truncated(
  bytes: Uint8Array,
  blocks: readonly FrameBlock[],
  end: number,
  prefix: { readonly out: Output; readonly last: number },
): Uint8Array[] {
  const { out } = prefix;
  let step = bytes.length === end && blocks.length > 0 ? prefix.last : 0;
  // Of a block that is not compressed the part that is there is taken.
  if (bytes.length - end > 3 && (((bytes[end] as number) >> 1) & 3) === RAW && !isLast(bytes, blocks)) {
    step = bytes.length - end - 3;
    append(out, bytes, end + 3, bytes.length);
  }
  const before = handedOn(out.length - step, PIECE);
  return cut(out, PIECE, step > 0 ? Math.min(out.length, before + PIECE) : out.length);
}

function isLast(bytes: Uint8Array, blocks: readonly FrameBlock[]): boolean {
  const block = blocks.at(-1);
  return block !== undefined && ((bytes[block.at] as number) & 1) === 1;
}

interface Prefix {
  readonly out: Output;
  /** How much of it the last block is. */
  readonly last: number;
  /** The library's error with one block more. */
  readonly error?: string;
}

/** The output of the blocks before the first damaged one, which is searched by halves. */
function longestPrefix(
  bytes: Uint8Array,
  header: FrameHeader,
  blocks: readonly FrameBlock[],
  limit: number,
): Prefix {
  const unpack = (count: number): Output | string =>
    count === 0 ? output(limit) : decompress(partOf(bytes, header, blocks.slice(0, count)), limit);
  let good = 0;
  let bad = blocks.length + 1;
  let best = output(limit);
  let error: string | undefined;
  for (let count = blocks.length; good + 1 < bad; count = (good + bad) >> 1) {
    const out = unpack(count);
    if (typeof out === "string") {
      bad = count;
      error = out;
    } else {
      good = count;
      best = out;
    }
  }
  const shorter = good === 0 ? best : unpack(good - 1);
  const last = typeof shorter === "string" ? 0 : best.length - shorter.length;
  return error === undefined ? { out: best, last } : { out: best, last, error };
}

/** A frame of the first blocks alone, without size and checksum. */
function partOf(bytes: Uint8Array, header: FrameHeader, blocks: readonly FrameBlock[]): Uint8Array {
  const last = blocks.at(-1) as FrameBlock;
  const log = Math.max(10, Math.ceil(Math.log2(header.window)));
  const frame = new Uint8Array(6 + last.end - header.length);
  frame.set([0x28, 0xb5, 0x2f, 0xfd, 0, (log - 10) << 3]);
  frame.set(bytes.subarray(header.length, last.end), 6);
  const at = 6 + last.at - header.length;
  frame[at] = (frame[at] as number) | 1;
  return frame;
}

/** The output of a frame that is there in full, or the library's error. */
function decompress(frame: Uint8Array, limit: number): Output | string {
  try {
    // With room for one piece the library decides as in the kernel whether to decompress at once.
    const bytes = zstdDecompressSync(frame, { chunkSize: PIECE, maxOutputLength: limit });
    return { bytes, length: bytes.length, limit };
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    if (code === "ERR_BUFFER_TOO_LARGE") throw new OutputLimit();
    return code;
  }
}

function messageOf(code: string): string {
  return CORRUPT_CODES.has(code) ? CORRUPT : PROBABLY_CORRUPT;
}
