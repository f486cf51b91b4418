/** The configuration that a kernel carries with it (CONFIG_IKCONFIG): kernel/configs.c, scripts/extract-ikconfig. */
import { gunzipSync, inflateRawSync, zstdDecompressSync } from "node:zlib";

/** Formats of compressed kernels that Node cannot read by itself. */
export type ForeignCompression = "xz" | "lzma" | "bzip2" | "lz4" | "lzo";

/** What reads images in more formats. */
export interface EmbeddedConfigOptions {
  /**
   * Decompresses what begins with one of the other formats; bytes that do not belong to it follow. Gives what it could
   * decompress, or undefined when that is nothing. What it throws ends the search only if the kernel could not be
   * decompressed otherwise. Default: those formats are passed over.
   */
  readonly decompress?:
    | ((format: ForeignCompression, bytes: Uint8Array) => Uint8Array | undefined)
    | undefined;
}

/**
 * The configuration in a kernel image: an uncompressed one (vmlinux, Image), one that is compressed in whole or unpacks
 * itself (bzImage, zImage, EFI zboot) by gzip, zstd or what `decompress` knows, `/proc/config.gz`, or the plain text.
 *
 * @returns undefined when there is none: the kernel was built without CONFIG_IKCONFIG, or is compressed by something
 * else.
 * @example
 * ```ts
 * import { embeddedConfig, parseConfig } from "@justenough/kconfig";
 * import { gzipSync } from "node:zlib";
 * const text = embeddedConfig(gzipSync("CONFIG_NET=y\n")) ?? "";
 * console.log(parseConfig(text).values.get("NET")?.text); // y
 * ```
 */
export function embeddedConfig(bytes: Uint8Array, options: EmbeddedConfigOptions = {}): string | undefined {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const here = configIn(image);
  if (here !== undefined) return here;
  let opened = false;
  let failure: unknown;
  for (const format of FORMATS) {
    let tries = 0;
    for (const at of placesOf(format, image)) {
      if (tries++ === TRIES) break;
      let inner: Buffer | undefined;
      try {
        inner = decompress(format, image.subarray(at), options);
      } catch (error) {
        failure ??= error;
        break;
      }
      const found = inner === undefined ? undefined : configIn(inner);
      if (found !== undefined) return found;
      // As large as a kernel is, beside the code that unpacks it.
      opened ||= inner !== undefined && inner.length * 2 > image.length;
    }
  }
  if (failure !== undefined && !opened) throw failure;
  return undefined;
}

type Format = ForeignCompression | "gzip" | "zstd";

// A magic number turns up by chance too, but no image has its kernel behind that many.
const TRIES = 64;
// More than any kernel, so that a few bytes cannot fill the memory.
const LARGEST = 1 << 30;
// In the order of how many kernels use them.
const FORMATS: readonly Format[] = ["gzip", "zstd", "xz", "lz4", "lzma", "bzip2", "lzo"];
// The kernel has lz4 in its legacy format; of bzip2, the first block's magic number follows.
const MAGIC: Readonly<Record<Format, string>> = {
  gzip: "\x1f\x8b\x08",
  zstd: "\x28\xb5\x2f\xfd",
  xz: "\xfd7zXZ\0",
  lz4: "\x02\x21\x4c\x18",
  lzma: "\x5d\0\0",
  bzip2: "BZh",
  lzo: "\x89LZO\0\r\n\x1a\n",
};

function* placesOf(format: Format, image: Buffer): Generator<number> {
  const magic = Buffer.from(MAGIC[format], "latin1");
  for (let at = image.indexOf(magic); at >= 0; at = image.indexOf(magic, at + 1)) {
    if (isPlausible(format, image, at)) yield at;
  }
}

// Short magic numbers are made longer by what has to follow.
function isPlausible(format: Format, image: Buffer, at: number): boolean {
  if (format === "bzip2") return image.toString("latin1", at + 4, at + 10) === "1AY&SY";
  if (format !== "lzma" || at + 13 > image.length) return format !== "lzma";
  // The uncompressed size: not known, or less than a terabyte.
  const [low, high] = [image.readUInt32LE(at + 5), image.readUInt32LE(at + 9)];
  return (low === 0xff_ff_ff_ff && high === 0xff_ff_ff_ff) || (high < 0x1_00 && low + high > 0);
}

function configIn(image: Buffer): string | undefined {
  const text = plainText(image);
  if (text !== undefined) return text;
  const start = image.indexOf("IKCFG_ST\x1f\x8b\x08", 0, "latin1");
  if (start < 0) return undefined;
  const end = image.indexOf("IKCFG_ED", start, "latin1");
  try {
    return gunzipSync(image.subarray(start + 8, end < 0 ? undefined : end)).toString("utf8");
  } catch {
    return undefined;
  }
}

function plainText(bytes: Buffer): string | undefined {
  const head = bytes.toString("latin1", 0, 4096);
  if (head.includes("\0") || !/^(# )?CONFIG_[A-Za-z0-9_]+[= ]/m.test(head)) return undefined;
  return bytes.toString("utf8");
}

function decompress(format: Format, bytes: Buffer, options: EmbeddedConfigOptions): Buffer | undefined {
  try {
    switch (format) {
      case "gzip":
        return inflateMember(bytes);
      case "zstd":
        return zstdDecompressSync(bytes, { maxOutputLength: LARGEST });
      default: {
        const found = options.decompress?.(format, bytes);
        return found === undefined
          ? undefined
          : Buffer.from(found.buffer, found.byteOffset, found.byteLength);
      }
    }
  } catch (error) {
    if (isNothing(error)) return undefined;
    throw error;
  }
}

// zlib's own errors: what began with a magic number by chance.
function isNothing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
  return /^(Z_|ZSTD_|ERR_BUFFER_TOO_LARGE|ERR_ZLIB)/.test(code);
}

/** One member of gzip (RFC 1952), whatever follows it; gunzipSync() takes that for the next member. */
function inflateMember(bytes: Buffer): Buffer | undefined {
  const flags = bytes[3] ?? 0;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + (bytes[at] ?? 0) + ((bytes[at + 1] ?? 0) << 8);
  for (const flag of [8, 16]) if ((flags & flag) !== 0) at = bytes.indexOf(0, at) + 1;
  if ((flags & 2) !== 0) at += 2;
  return (flags & 0xe0) === 0 ? inflateRawSync(bytes.subarray(at), { maxOutputLength: LARGEST }) : undefined;
}
