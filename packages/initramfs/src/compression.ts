import { Duplex } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";

import { gzipInBlocks } from "./internal/gzip-blocks.ts";
import { lz4Legacy } from "./internal/lz4-legacy.ts";
import { withoutTime } from "./internal/lzop-time.ts";
import { throughTool } from "./internal/tool-filter.ts";

/** What the kernel can unpack, each with an option CONFIG_RD_… of its own. */
export const COMPRESSIONS = ["none", "gzip", "zstd", "xz", "lz4", "lzma", "bzip2", "lzo"] as const;

/**
 * How an image is compressed. `gzip`, `zstd` and `lz4` are built in; the others run the program of that name (`lzop`
 * for lzo, `xz` for lzma).
 */
export type Compression = (typeof COMPRESSIONS)[number];

/**
 * The stages of a pipeline that compress what passes through. None writes names or times, so that the same bytes give
 * the same bytes, with any number of threads. The levels are where size no longer falls much for the time spent; the
 * parameters are those that the kernel's decompressors take (scripts/Makefile.lib).
 */
export function compressor(compression: Compression): readonly Duplex[] {
  switch (compression) {
    case "none":
      return [];
    case "gzip":
      return [Duplex.from(gzipInBlocks)];
    case "zstd":
      // One worker: more of them truncate the stream on Node 24, and would change the bytes.
      return [createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: 9 }, chunkSize: 1 << 18 })];
    case "lz4":
      return [Duplex.from(lz4Legacy)];
    case "xz":
      // The kernel knows CRC32 only, and unpacks in many calls, for which it needs the dictionary in memory.
      return tool("xz", "--check=crc32", "--lzma2=dict=1MiB", "--threads=1", "-c");
    case "lzma":
      return tool("xz", "--format=lzma", "-9", "-c");
    case "bzip2":
      return tool("bzip2", "-9", "-c");
    default:
      return [...tool("lzop", "-9", "-c"), Duplex.from(withoutTime)];
  }
}

function tool(program: string, ...args: readonly string[]): readonly Duplex[] {
  return [Duplex.from(throughTool(program, args))];
}
