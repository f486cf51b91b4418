import type { Arch } from "../arch.ts";
import { bunzip2 } from "./bzip2.ts";
import { gunzip } from "./gzip.ts";
import { unlz4 } from "./lz4.ts";
import { unlzma } from "./lzma.ts";
import { unlzo } from "./lzo.ts";
import { MOST_PIECES, OutputLimit, type Unpacked } from "./output.ts";
import { unxz } from "./xz.ts";
import { unzstd } from "./zstd.ts";

/** The formats that the kernel tells apart by two bytes, decompress_method() in lib/decompress.c. */
export type KernelCompression = "gzip" | "bzip2" | "lzma" | "xz" | "lzo" | "lz4" | "zstd";

export interface KernelDecompressOptions {
  /** Most bytes to unpack, 2 GiB unless told; more is an error of ours, so that a bomb does not fill the memory. */
  readonly maxBytes?: number;
  /** For which machine the kernel is: it decides which filter of xz it knows. "x86_64" unless told. */
  readonly arch?: Arch;
  /** Its version, like "6.1" or "6.12.117"; a recent one unless told. */
  readonly kernel?: string;
}

/** What the kernel's decompressor does with a member. */
export interface KernelDecompressed {
  /** The output, cut as it is handed to the unpacker, which sees a border between two pieces (init/initramfs.c). */
  readonly pieces: readonly Uint8Array[];
  /** Where the unpacker goes on, counted from the member's first byte; after an error it does not. */
  readonly consumed: number;
  /**
   * The kernel's message when it fails, the one that it prints after "Initramfs unpacking failed: ". What the pieces
   * before it have is still unpacked.
   */
  readonly error?: string;
  /**
   * Set when the kernel reads on past the end of an image that was cut off, in gzip's trailer, a block of lz4 or anywhere
   * in bzip2. What comes of it is then up to what lies there. We take it for zeros; with the image at the end of the
   * memory, where QEMU puts it, 6.1 and 6.12 fault, and the boot hangs without a word on the console.
   */
  readonly readsBeyond?: true;
  /** Set when `maxBytes` ended it, so that the error is ours and not the kernel's. */
  readonly limited?: true;
}

const DECOMPRESSORS: Readonly<
  Record<KernelCompression, (bytes: Uint8Array, limit: number, options: KernelDecompressOptions) => Unpacked>
> = { gzip: gunzip, bzip2: bunzip2, lzma: unlzma, xz: unxz, lzo: unlzo, lz4: unlz4, zstd: unzstd };

/** What an output may have at most; two copies of it may be held for a moment. */
const MAX_BYTES = 2 ** 31;

/**
 * Decompresses one member of an initramfs as Linux does: takes and refuses the same, in the same pieces, and goes on at
 * the same byte. It never throws for what the bytes are. Each format's rules were read in lib/decompress_*.c and what
 * they call, Linux 6.12; where the kernel reads past the end of the image, zeros are taken to be there, and a machine
 * that has too little memory for a window or a dictionary is not thought of.
 *
 * @param format - what the first two bytes tell
 * @param bytes - from the member's first byte to the end of the image, whatever follows the member
 *
 * @example
 * ```ts
 * import { gzipSync } from "node:zlib";
 * import { kernelDecompress } from "@justenough/initramfs";
 * const member = gzipSync("0707…");
 * const { pieces, consumed, error } = kernelDecompress("gzip", Buffer.concat([member, Buffer.from("more")]));
 * console.log(Buffer.concat(pieces).toString(), consumed === member.length, error); // 0707… true undefined
 * ```
 */
export function kernelDecompress(
  format: KernelCompression,
  bytes: Uint8Array,
  options: KernelDecompressOptions = {},
): KernelDecompressed {
  const { maxBytes = MAX_BYTES } = options;
  try {
    return DECOMPRESSORS[format](bytes, maxBytes, options);
  } catch (error) {
    if (!(error instanceof OutputLimit)) throw error;
    return {
      pieces: [],
      consumed: 0,
      limited: true,
      error: `It unpacks to too much: more than ${maxBytes} bytes or ${MOST_PIECES} pieces`,
    };
  }
}
