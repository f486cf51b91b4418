import type { CpioDevice, CpioType } from "../entry.ts";

/**
 * A file as the guest sees it. Names that share one file share one object; `id` tells files apart where objects
 * cannot be compared.
 */
export interface KernelInode {
  readonly id: number;
  readonly type: CpioType;
  /** The whole mode, file type bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Names that it has; for a directory 2 and one for each directory in it. */
  readonly nlink: number;
  /** Seconds since 1970, where the unpacker sets them: only with `keepTimes`. */
  readonly mtime: number | undefined;
  /** Bytes of a file or of a symlink's target; 0 for the rest. */
  readonly size: number;
  /** For character and block devices. */
  readonly rdev: CpioDevice | undefined;
  /** The target of a symlink as text (UTF-8, invalid bytes replaced). */
  readonly target: string | undefined;
  readonly targetBytes: Uint8Array | undefined;
  /**
   * The data of a file from its start, views into what was unpacked. Where they end before `size` (an image that
   * was cut), the rest reads as zeros.
   */
  readonly data: readonly Uint8Array[];
  /** What is in a directory. The keys hold one character per byte of the name (latin1). */
  readonly entries: ReadonlyMap<string, KernelInode> | undefined;
}

/** The root file system after the unpacking. */
export interface KernelTree {
  readonly root: KernelInode;
}

/**
 * What the kernel did, for programs. Codes are stable.
 *
 * - `KERNEL_ABORT`: it gave up with a message; what was unpacked by then stays.
 * - `KERNEL_NO_DECOMPRESSOR`: here the reading ended, since no `decompress` was given. The kernel goes on.
 * - `KERNEL_NAME_SIZE`: an entry was skipped, its name size is 0 or above 4096.
 * - `KERNEL_TARGET_SIZE`: a symlink was skipped, its target has more than 4095 bytes.
 * - `KERNEL_UNEXPECTED_DATA`: a directory or node was skipped, since it has data.
 * - `KERNEL_UNKNOWN_TYPE`: an entry was skipped, its mode has no type.
 * - `KERNEL_DROPPED`: an entry was not made, for a reason of the file system.
 * - `KERNEL_WRONG_TARGET`: owner and mode of an entry went to a directory that stood in its way.
 * - `KERNEL_REPLACED`: an entry took the place of an earlier one.
 * - `KERNEL_LINK_FORGOTTEN`: names of one file became several files, as a trailer came between them.
 * - `KERNEL_LOOSE_HEADER`: a header has digits that are not hexadecimal; from 7.2 on it is refused.
 * - `KERNEL_LOST`: all entries up to the member's end were lost behind a skipped one.
 * - `KERNEL_TRUNCATED`: the image ends inside an entry; Linux says nothing.
 * - `KERNEL_HANG`: the kernel waits for ever.
 * - `KERNEL_UNCERTAIN`: the outcome depends on what is not in the image.
 */
export type KernelDiagnosticCode =
  | "KERNEL_ABORT"
  | "KERNEL_NO_DECOMPRESSOR"
  | "KERNEL_NAME_SIZE"
  | "KERNEL_TARGET_SIZE"
  | "KERNEL_UNEXPECTED_DATA"
  | "KERNEL_UNKNOWN_TYPE"
  | "KERNEL_DROPPED"
  | "KERNEL_WRONG_TARGET"
  | "KERNEL_REPLACED"
  | "KERNEL_LINK_FORGOTTEN"
  | "KERNEL_LOOSE_HEADER"
  | "KERNEL_LOST"
  | "KERNEL_TRUNCATED"
  | "KERNEL_HANG"
  | "KERNEL_UNCERTAIN";

/** Where in an image. */
export interface KernelLocation {
  /** Bytes from the start of the image or, inside a compressed member, of the member's decompressed data. */
  readonly offset: number;
  /** Inside a compressed member: where that starts in the image. */
  readonly member?: number | undefined;
  /** Counts the trailers before. */
  readonly segment: number;
  /** The entry's name as text. */
  readonly name?: string | undefined;
}

/** One finding about an image. */
export interface KernelDiagnostic {
  readonly code: KernelDiagnosticCode;
  /** `error`: the unpacking ended. `warning`: something is not as the archive says. `note`: as it says, but odd. */
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  readonly location: KernelLocation;
}

/** How the kernel gave up. */
export interface KernelFailure {
  /** The kernel's words, as in "Initramfs unpacking failed: no cpio magic". */
  readonly message: string;
  readonly location: KernelLocation;
  /** True if it was the built-in archive (`base`): the kernel panics. */
  readonly builtIn: boolean;
}

/** What {@link unpackAsKernel} found out. */
export interface KernelUnpackResult {
  readonly tree: KernelTree;
  readonly diagnostics: readonly KernelDiagnostic[];
  /** Diagnostics beyond `maxDiagnostics`. */
  readonly omittedDiagnostics: number;
  /** Set if the kernel calls the unpacking a failure. It goes on to boot with what is there. */
  readonly failure: KernelFailure | undefined;
  /** False if the prediction ends before the kernel does, see the last diagnostic. */
  readonly complete: boolean;
}
