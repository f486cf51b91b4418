import { Readable } from "node:stream";
import { promisify } from "node:util";
import { createGunzip, zstdDecompress } from "node:zlib";

import { IDENTIFY_BYTES, identifyFormat } from "@justenough/cpio";

import { checkAborted } from "../context.ts";
import { InitramfsError } from "../error.ts";
import { throughTool } from "../internal/tool-filter.ts";
import { limitError } from "./budget.ts";
import { type ByteSource, chunks, memorySource } from "./byte-source.ts";
import type { LayerContext } from "./layer.ts";
import { layerError } from "./layer-error.ts";
import { startsSkippable, zstdFrames } from "./zstd-frames.ts";

const inflate = promisify<Uint8Array, { readonly maxOutputLength: number }, Buffer>(zstdDecompress);

/**
 * The archive in a file: as it is, or decompressed in memory up to the limit. What it is compressed with is
 * read from its first bytes, as container engines do: names and media types are often wrong.
 */
export async function decompress(
  source: ByteSource,
  archive: string,
  { budget: { maxBytes }, signal }: Pick<LayerContext, "budget" | "signal">,
): Promise<ByteSource> {
  const into = { archive, maxBytes, signal };
  const head = source.read(0, IDENTIFY_BYTES);
  const format = startsSkippable(head) ? "zstd" : identifyFormat(head);
  switch (format) {
    case "gzip":
      return collect(gunzip(source), into, gzipSize(source));
    case "zstd":
      return collect(unzstd(source, into), into);
    case "xz":
    case "lzma":
      return collect(tool("xz", ["-dc", `--format=${format}`, "--memlimit-decompress=1GiB"], source), into);
    case "bzip2":
      return collect(tool("bzip2", ["-dc"], source), into);
    default:
      return source;
  }
}

interface Into {
  readonly archive: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal | undefined;
}

async function collect(
  parts: AsyncIterable<Uint8Array>,
  { archive, maxBytes, signal }: Into,
  expected = 0,
): Promise<ByteSource> {
  let whole: Uint8Array = Buffer.allocUnsafe(Math.min(expected, maxBytes));
  let size = 0;
  try {
    for await (const part of parts) {
      checkAborted(signal);
      if (size + part.length > maxBytes) throw limitError(archive, `${maxBytes} bytes`, "bytes");
      if (size === 0 && part.length > whole.length) whole = part;
      else {
        if (size + part.length > whole.length) whole = grown(whole, size, size + part.length);
        whole.set(part, size);
      }
      size += part.length;
    }
  } catch (error) {
    if (error instanceof InitramfsError && error.code !== "INITRAMFS_TOOL") throw error;
    const { message, hint } = error as InitramfsError;
    throw layerError(archive, undefined, `it cannot be decompressed: ${message}`, { cause: error, hint });
  }
  return memorySource(whole.subarray(0, size));
}

function grown(bytes: Uint8Array, used: number, wanted: number): Uint8Array {
  const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * bytes.length));
  larger.set(bytes.subarray(0, used));
  return larger;
}

/**
 * The size that the end of a gzip file tells (RFC 1952, ISIZE), so that a layer is not copied while it grows. It may
 * be anything: true are at most 1032 bytes for each one, which is all that deflate can do.
 */
function gzipSize(source: ByteSource): number {
  const [a = 0, b = 0, c = 0, d = 0] = source.read(source.size - 4, 4);
  return Math.min((a | (b << 8) | (c << 16) | (d << 24)) >>> 0, source.size * 1032);
}

async function* gunzip(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  const from = Readable.from(chunks(source));
  const stream = createGunzip({ chunkSize: 1 << 18 });
  from.on("error", (error) => stream.destroy(error));
  try {
    yield* from.pipe(stream) as AsyncIterable<Uint8Array>;
  } finally {
    from.destroy();
  }
}

async function* unzstd(
  source: ByteSource,
  { archive, maxBytes }: Into,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { offset, size } of zstdFrames(source, archive)) {
    try {
      yield await inflate(source.read(offset, size), { maxOutputLength: maxBytes });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_BUFFER_TOO_LARGE") throw error;
      throw limitError(archive, `${maxBytes} bytes`, "bytes");
    }
  }
}

function tool(program: string, args: readonly string[], source: ByteSource): AsyncIterable<Uint8Array> {
  const feed = Readable.from(chunks(source)) as AsyncIterable<Uint8Array>;
  return throughTool(program, args, { does: "decompresses it", hint: `Install it, or decompress it first` })(
    feed,
  );
}
