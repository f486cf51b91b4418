import { CpioError } from "./cpio-error.ts";
import type { CpioFormat } from "./entry.ts";
import { UINT32_MAX } from "./internal/layout.ts";

/** How an archive is written; the defaults make a complete archive as `cpio -o -H newc` would. */
export interface PackOptions {
  /** Default `newc`. */
  readonly format?: CpioFormat | undefined;
  /**
   * The inode number of the first entry, the others count on. Default 0, like `cpio --renumber-inodes`. Choose
   * ranges that do not overlap when segments without a trailer are concatenated and hold hard links.
   */
  readonly firstInode?: number | undefined;
  /** Write the entry that ends an archive. Default true; the kernel also takes segments without it. */
  readonly trailer?: boolean | undefined;
  /** Fill up with NULs to a multiple of this, itself a multiple of 4. Default 512. */
  readonly blockSize?: number | undefined;
  /**
   * Make data of more than so many bytes begin at a multiple of it, a power of two from 4 (the default) to 4096, by
   * NULs behind their names: so that a file system can share them with their source, or a reader map them. Counted
   * from the archive's start; readers other than Linux, GNU cpio and this package may stumble over such names.
   */
  readonly dataAlign?: number | undefined;
}

export interface ResolvedPackOptions {
  readonly format: CpioFormat;
  readonly firstInode: number;
  readonly trailer: boolean;
  readonly blockSize: number;
  readonly dataAlign: number;
}

export function resolvePackOptions(options: PackOptions): ResolvedPackOptions {
  const { format = "newc", firstInode = 0, trailer = true, blockSize = 512, dataAlign = 4 } = options;
  if (format !== "newc" && format !== "crc") {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "format" is ${JSON.stringify(format)}, wanted "newc" or "crc"`,
    );
  }
  if (!Number.isInteger(firstInode) || firstInode < 0 || firstInode > UINT32_MAX) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "firstInode" is ${firstInode}, wanted an integer of 32 bits`,
    );
  }
  if (!Number.isInteger(blockSize) || blockSize < 4 || blockSize % 4 !== 0 || blockSize > 0x100_0000) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "blockSize" is ${blockSize}, wanted a multiple of 4 between 4 and 16777216`,
    );
  }
  if (
    !Number.isInteger(dataAlign) ||
    dataAlign < 4 ||
    dataAlign > 4096 ||
    (dataAlign & (dataAlign - 1)) !== 0
  ) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `Option "dataAlign" is ${dataAlign}, wanted a power of two between 4 and 4096`,
    );
  }
  return { format, firstInode, trailer, blockSize, dataAlign };
}
