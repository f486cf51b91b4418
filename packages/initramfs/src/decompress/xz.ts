import { crc32 } from "node:zlib";

import { decodeLzma2, type Lzma2Fault, XZ_PIECE } from "./lzma2.ts";
import type { KernelDecompressOptions } from "./kernel-decompress.ts";
import { cut, output, type Output, type Unpacked } from "./output.ts";
import { type BranchFilter, branchFilter } from "./xz-filter.ts";

const FORMAT = "Input is not in the XZ format (wrong magic bytes)";
const SETTINGS = "Input was encoded with settings that are not supported by this XZ decoder";
const CORRUPT = "XZ-compressed data is corrupt";

const MAGIC = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const HEADER = 12;
const FOOTER = 12;
const NO_CHECK = 0;
const CRC32 = 1;

/** What is wrong, in the kernel's words. */
class Fault extends Error {}

interface Block {
  readonly unpadded: bigint;
  readonly size: bigint;
}

/**
 * As lib/decompress_unxz.c and lib/xz do (read in 6.12): one stream, no padding after it. Only CRC32 or no check at all,
 * one filter before LZMA2 at most. At damage behind a filter the last 16 bytes of the output are not quite the kernel's,
 * whose filter looks ahead.
 */
export function unxz(bytes: Uint8Array, limit: number, options: KernelDecompressOptions): Unpacked {
  const out = output(limit);
  try {
    const end = readStream(bytes, out, options);
    return { pieces: cut(out, XZ_PIECE), consumed: end };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { pieces: cut(out, XZ_PIECE), consumed: 0, error: error.message };
  }
}

function readStream(bytes: Uint8Array, out: Output, options: KernelDecompressOptions): number {
  need(bytes.length >= HEADER);
  need(
    MAGIC.every((byte, index) => bytes[index] === byte),
    FORMAT,
  );
  need(crc32(bytes.subarray(6, 8)) === wordAt(bytes, 8));
  const check = bytes[7] as number;
  need(bytes[6] === 0 && (check === NO_CHECK || check === CRC32), SETTINGS);
  const blocks: Block[] = [];
  let at = HEADER;
  for (;;) {
    need(at < bytes.length);
    if (bytes[at] === 0) break;
    at = readBlock(bytes, at, check, out, blocks, options);
  }
  const end = readIndex(bytes, at, blocks);
  need(end + FOOTER <= bytes.length && bytes[end + 10] === 0x59 && bytes[end + 11] === 0x5a);
  need(crc32(bytes.subarray(end + 4, end + 10)) === wordAt(bytes, end));
  need(wordAt(bytes, end + 4) === (end - at) / 4 - 1 && bytes[end + 8] === 0 && bytes[end + 9] === check);
  return end + FOOTER;
}

function readBlock(
  bytes: Uint8Array,
  start: number,
  check: number,
  out: Output,
  blocks: Block[],
  options: KernelDecompressOptions,
): number {
  const header = readBlockHeader(bytes, start, options);
  const from = out.length;
  const within = (at: number): boolean =>
    at - header.end <= header.packed && out.length - from <= header.size;
  const decoded = decodeLzma2(bytes, header.end, header.dictionary, out, within);
  filterBlock(header.filter, out, from, decoded);
  if (typeof decoded === "string") throw new Fault(CORRUPT);
  let at = decoded;
  const packed = at - header.end;
  const size = out.length - from;
  need(header.packed === Number.POSITIVE_INFINITY || header.packed === packed);
  need(header.size === Number.POSITIVE_INFINITY || header.size === size);
  for (let padding = packed; (padding & 3) !== 0; padding++) need(bytes[at++] === 0);
  if (check === CRC32) {
    need(at + 4 <= bytes.length && wordAt(bytes, at) === crc32(out.bytes.subarray(from, out.length)));
    at += 4;
  }
  const unpadded = header.end - start + packed + (check === CRC32 ? 4 : 0);
  blocks.push({ unpadded: BigInt(unpadded), size: BigInt(size) });
  return at;
}

/** What the kernel filters piece by piece; at damage it hands on what it has not got to as it is. */
function filterBlock(
  filter: BranchFilter | undefined,
  out: Output,
  from: number,
  decoded: number | Lzma2Fault,
): void {
  if (filter === undefined) return;
  const border = decoded === "damaged" ? out.length - (out.length % XZ_PIECE) : out.length;
  const done = filter(out.bytes.subarray(from, Math.max(from, border)));
  if (decoded === "cut off") out.length = from + done;
}

interface BlockHeader {
  readonly end: number;
  /** Infinite where they are not told. */
  readonly packed: number;
  readonly size: number;
  readonly filter: BranchFilter | undefined;
  readonly dictionary: number;
}

function readBlockHeader(bytes: Uint8Array, start: number, options: KernelDecompressOptions): BlockHeader {
  const end = start + ((bytes[start] as number) + 1) * 4;
  need(end <= bytes.length);
  const fields = bytes.subarray(start, end - 4);
  need(crc32(fields) === wordAt(bytes, end - 4));
  const flags = fields[1] as number;
  need((flags & 0x3e) === 0, SETTINGS);
  const integers = { bytes: fields, at: 2 };
  const packed = (flags & 0x40) === 0 ? Number.POSITIVE_INFINITY : Number(readInteger(integers));
  const size = (flags & 0x80) === 0 ? Number.POSITIVE_INFINITY : Number(readInteger(integers));
  let { at } = integers;
  let filter: BranchFilter | undefined;
  if ((flags & 1) !== 0) {
    filter = branchFilter(fields[at] ?? 0, options.arch ?? "x86_64", options.kernel);
    // Nor is a start offset of the filter supported.
    need(fields.length - at >= 2 && filter !== undefined && fields[at + 1] === 0, SETTINGS);
    at += 2;
  }
  need(fields.length - at >= 2);
  need(fields[at] === 0x21 && fields[at + 1] === 1, SETTINGS);
  need(fields.length - at >= 3);
  const bits = fields[at + 2] as number;
  need(bits <= 39 && fields.subarray(at + 3).every((byte) => byte === 0), SETTINGS);
  return { end, packed, size, filter, dictionary: (2 + (bits & 1)) * 2 ** ((bits >> 1) + 11) };
}

/** Holds the index against the blocks that were read; gives the place after it. */
function readIndex(bytes: Uint8Array, start: number, blocks: readonly Block[]): number {
  const integers = { bytes, at: start + 1 };
  need(readInteger(integers) === BigInt(blocks.length));
  for (const { unpadded, size } of blocks) {
    need(readInteger(integers) === unpadded);
    need(readInteger(integers) === size);
  }
  let { at } = integers;
  while (((at - start) & 3) !== 0) need(bytes[at++] === 0);
  need(at + 4 <= bytes.length && wordAt(bytes, at) === crc32(bytes.subarray(start, at)));
  return at + 4;
}

/** An integer of variable length, in the shortest form. */
function readInteger(from: { readonly bytes: Uint8Array; at: number }): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 63n; shift += 7n) {
    const byte = from.bytes[from.at++];
    need(byte !== undefined && (byte !== 0 || shift === 0n));
    value |= BigInt((byte as number) & 0x7f) << shift;
    if (((byte as number) & 0x80) === 0) return value;
  }
  throw new Fault(CORRUPT);
}

function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

function need(condition: boolean, message = CORRUPT): void {
  if (!condition) throw new Fault(message);
}
