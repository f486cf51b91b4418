/** Formats that are met where an archive was expected; compressed ones are named by their tool. */
export type KnownFormat =
  | "newc"
  | "crc"
  | "odc"
  | "binary"
  | "tar"
  | "gzip"
  | "bzip2"
  | "xz"
  | "lzma"
  | "lzo"
  | "lz4"
  | "lz4-frame"
  | "zstd"
  | "zip"
  | "ar"
  | "rpm"
  | "elf"
  | "pe"
  | "bzimage"
  | "arm64-image"
  | "squashfs";

/** Enough bytes for every check of {@link identifyFormat}. */
export const IDENTIFY_BYTES = 520;

type Signature = readonly [format: KnownFormat, offset: number, bytes: readonly number[] | string];

// The order matters: a bzImage may also be a PE file, and both are more telling than what follows.
const SIGNATURES: readonly Signature[] = [
  ["newc", 0, "070701"],
  ["crc", 0, "070702"],
  ["odc", 0, "070707"],
  ["bzimage", 0x202, "HdrS"],
  ["arm64-image", 56, "ARMd"],
  ["elf", 0, "\u007fELF"],
  ["pe", 0, "MZ"],
  ["gzip", 0, [0x1f, 0x8b]],
  ["gzip", 0, [0x1f, 0x9e]],
  ["bzip2", 0, "BZh"],
  ["xz", 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["lzma", 0, [0x5d, 0x00, 0x00]],
  ["lzo", 0, [0x89, 0x4c, 0x5a, 0x4f, 0x00]],
  ["lz4", 0, [0x02, 0x21, 0x4c, 0x18]],
  ["lz4-frame", 0, [0x04, 0x22, 0x4d, 0x18]],
  ["zstd", 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ["tar", 257, "ustar"],
  ["zip", 0, [0x50, 0x4b, 0x03, 0x04]],
  ["ar", 0, "!<arch>\n"],
  ["rpm", 0, [0xed, 0xab, 0xee, 0xdb]],
  ["squashfs", 0, "hsqs"],
  ["binary", 0, [0xc7, 0x71]],
  ["binary", 0, [0x71, 0xc7]],
];

function matches(bytes: Uint8Array, offset: number, wanted: readonly number[] | string): boolean {
  for (let index = 0; index < wanted.length; index++) {
    const byte = typeof wanted === "string" ? wanted.charCodeAt(index) : wanted[index];
    if (bytes[offset + index] !== byte) return false;
  }
  return true;
}

/**
 * Tells what a file or segment is from its first {@link IDENTIFY_BYTES} bytes; `undefined` if nothing fits.
 * The compressed formats are those that the kernel unpacks (lib/decompress.c), and the lz4 frame, which it
 * does not take.
 *
 * @example
 * ```ts
 * import { identifyFormat } from "@justenough/cpio";
 * console.log(identifyFormat(new Uint8Array([0x28, 0xb5, 0x2f, 0xfd]))); // zstd
 * ```
 */
export function identifyFormat(bytes: Uint8Array): KnownFormat | undefined {
  for (const [format, offset, wanted] of SIGNATURES) {
    if (matches(bytes, offset, wanted)) return format;
  }
  return undefined;
}
