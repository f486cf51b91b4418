import { type KernelDiagnostic, type KernelFailure, type KernelTree, unpackAsKernel } from "@justenough/cpio";

import type { Arch } from "../arch.ts";
import { type KernelCompression, kernelDecompress } from "../decompress/kernel-decompress.ts";
import { InitramfsError } from "../error.ts";
import { readWholeImage } from "./image-file.ts";

/** The rules of this version hold where none is named; those of others differ in rare cases only. */
export const USUAL_KERNEL = "6.12";

export interface ReadImageOptions {
  /** The version of the kernel, `6.1` or later. Default 6.12. */
  readonly kernel?: string | undefined;
  /** For which machine the kernel is built, default x86_64. */
  readonly arch?: Arch | undefined;
  /** The compressions that the kernel takes (CONFIG_RD_…), default all. */
  readonly configured?: readonly KernelCompression[] | undefined;
  /** Whether the kernel has CONFIG_TMPFS; else it unpacks into a ramfs. Default true. */
  readonly tmpfs?: boolean | undefined;
}

/** What the kernel makes of an image. */
export interface UnpackedImage {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** The root file system, the few files that are built into every kernel included. */
  readonly tree: KernelTree;
  readonly diagnostics: readonly KernelDiagnostic[];
  /** Set if the kernel gives up; what it had unpacked by then is in the tree. */
  readonly failure: KernelFailure | undefined;
}

/**
 * Unpacks an image in memory as the kernel does at boot, whoever made it: all that follows each other in it, plain or
 * compressed.
 *
 * @throws {InitramfsError} if the file cannot be read, or unpacks to more than 2 GiB; else never for what is in it
 *
 * @example
 * ```ts no-run
 * import { listKernelTree } from "@justenough/cpio";
 * import { readImage } from "@justenough/initramfs";
 * for (const { path } of listKernelTree(readImage("/boot/initrd.img").tree)) console.log(path);
 * ```
 */
export function readImage(path: string, options: ReadImageOptions = {}): UnpackedImage {
  const { kernel = USUAL_KERNEL, arch = "x86_64", configured, tmpfs = true } = options;
  const bytes = readWholeImage(path);
  const beyond: KernelDiagnostic[] = [];
  const { tree, diagnostics, failure } = unpackAsKernel(bytes, {
    kernel,
    configured,
    rootfs: tmpfs ? "tmpfs" : "ramfs",
    decompress: (format, member) => {
      const result = kernelDecompress(format, member, { arch, kernel });
      if (result.limited === true) {
        throw new InitramfsError("INITRAMFS_LIMIT", `Cannot read the image "${path}": ${result.error}`);
      }
      if (result.readsBeyond === true) beyond.push(readsBeyond(format, bytes.length - member.length));
      return result;
    },
  });
  return { path, size: bytes.length, tree, diagnostics: [...beyond, ...diagnostics], failure };
}

function readsBeyond(format: KernelCompression, member: number): KernelDiagnostic {
  return {
    code: "KERNEL_HANG",
    severity: "error",
    message: `The image ends inside of a member (${format}); the kernel reads on behind it, and may hang without a word`,
    location: { offset: 0, member, segment: 0 },
  };
}
