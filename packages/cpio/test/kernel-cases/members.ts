/**
 * Compressed members for cases. Whoever makes one knows what is in it and how long it is, so that nothing has to be
 * decompressed to tell what the kernel will get.
 */
import { execFileSync } from "node:child_process";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { KernelCompression, KernelDecompress, KernelDecompressed } from "../../src/index.ts";
import { join, zeros } from "./segment.ts";

const run = (tool: string, args: readonly string[], input: Uint8Array): Uint8Array =>
  new Uint8Array(execFileSync(tool, args, { input, stdio: ["pipe", "pipe", "ignore"], maxBuffer: 2 ** 28 }));

const COMPRESSORS: Readonly<Record<KernelCompression, (data: Uint8Array) => Uint8Array>> = {
  gzip: (data) => new Uint8Array(gzipSync(data)),
  bzip2: (data) => run("bzip2", ["-c"], data),
  lzma: (data) => run("xz", ["--format=lzma", "-c"], data),
  xz: (data) => run("xz", ["--check=crc32", "--lzma2=dict=1MiB", "-c"], data),
  lzo: (data) => run("lzop", ["-c"], data),
  // It reads on until a block of no length.
  lz4: (data) => join(run("lz4", ["-l", "-c"], data), zeros(4)),
  zstd: (data) => new Uint8Array(zstdCompressSync(data)),
};

/** Bytes in which each decompressor of the kernel hands on its output, see lib/decompress_*.c. */
const PIECES: Readonly<Record<KernelCompression, number>> = {
  gzip: 32 * 1024,
  bzip2: 4096,
  lzma: 8 * 1024 * 1024,
  xz: 4096,
  lzo: 256 * 1024,
  lz4: 8 * 1024 * 1024,
  zstd: 128 * 1024,
};

export const COMPRESSIONS = Object.keys(COMPRESSORS) as KernelCompression[];

interface Known extends KernelDecompressed {
  readonly bytes: Uint8Array;
}

const known = new Map<string, Known[]>();
const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 12)).toString("latin1");

/** Notes what the kernel makes of some bytes, for {@link decompressKnown}. */
export function remember(bytes: Uint8Array, result: KernelDecompressed): Uint8Array {
  const list = known.get(keyOf(bytes)) ?? [];
  list.push({ bytes, ...result });
  // The longest first: one may begin like another.
  list.sort((one, other) => other.bytes.length - one.bytes.length);
  known.set(keyOf(bytes), list);
  return bytes;
}

export function cut(data: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let start = 0; start < data.length; start += size) pieces.push(data.subarray(start, start + size));
  return pieces;
}

/** A member that the kernel can read. */
export function member(format: KernelCompression, data: Uint8Array): Uint8Array {
  const bytes = COMPRESSORS[format](data);
  // The zeros that end an lz4 member belong to what follows.
  const consumed = format === "lz4" ? bytes.length - 4 : bytes.length;
  return remember(bytes, { pieces: cut(data, PIECES[format]), consumed });
}

export const decompressKnown: KernelDecompress = (format, bytes) => {
  for (const item of known.get(keyOf(bytes)) ?? []) {
    if (Buffer.compare(item.bytes, bytes.subarray(0, item.bytes.length)) === 0) return item;
  }
  throw new Error(`A member (${format}) that no case has made`);
};
