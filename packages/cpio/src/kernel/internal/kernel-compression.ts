import type { KernelCompression } from "../kernel-options.ts";

/** The first two bytes decide, see compressed_formats in lib/decompress.c. */
const MAGICS: readonly (readonly [first: number, second: number, format: KernelCompression])[] = [
  [0x1f, 0x8b, "gzip"],
  [0x1f, 0x9e, "gzip"],
  [0x42, 0x5a, "bzip2"],
  [0x5d, 0x00, "lzma"],
  [0xfd, 0x37, "xz"],
  [0x89, 0x4c, "lzo"],
  [0x02, 0x21, "lz4"],
  [0x28, 0xb5, "zstd"],
];

export const KERNEL_COMPRESSIONS: readonly KernelCompression[] = [
  ...new Set(MAGICS.map(([, , format]) => format)),
];

/** What Linux takes these bytes for; a single byte is never enough. */
export function kernelCompressionAt(bytes: Uint8Array, offset: number): KernelCompression | undefined {
  return MAGICS.find(([first, second]) => bytes[offset] === first && bytes[offset + 1] === second)?.[2];
}
