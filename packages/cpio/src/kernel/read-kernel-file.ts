import { CpioError } from "../cpio-error.ts";
import { quote, toBytes } from "../internal/layout.ts";
import type { Directory } from "./internal/inode.ts";
import { latin1, lookUp } from "./internal/path-walk.ts";
import type { KernelInode, KernelTree } from "./kernel-result.ts";

const DEFAULT_MAX_SIZE = 256 * 1024 * 1024;

/**
 * Finds what a path leads to in the guest, from the root on: symlinks are followed, at most 40 of them;
 * `undefined` if that ends nowhere.
 *
 * @example
 * ```ts
 * import { encodeCpio, findKernelFile, unpackAsKernel } from "@justenough/cpio";
 * const image = encodeCpio([{ type: "symlink", name: "init", target: "/dev/console" }]);
 * const { tree } = unpackAsKernel(image, { kernel: "6.12" });
 * console.log(findKernelFile(tree, "/init")?.type); // character
 * ```
 */
export function findKernelFile(tree: KernelTree, path: string | Uint8Array): KernelInode | undefined {
  const found = lookUp(tree.root as Directory, latin1(toBytes(path)), true);
  return typeof found === "string" ? undefined : found;
}

/**
 * Reads a file as a program in the guest would, symlinks followed; `undefined` if there is none or it is no file.
 *
 * @throws {CpioError} CPIO_LIMIT if it has more bytes than `maxSize` (default 256 MiB): an image that was cut may
 * have made a file of 4 GiB that is nothing but zeros. {@link findKernelFile} gives the data without a copy.
 *
 * @example
 * ```ts
 * import { encodeCpio, readKernelFile, unpackAsKernel } from "@justenough/cpio";
 * const image = encodeCpio([
 *   { type: "file", name: "hello", data: "Hello\n" },
 *   { type: "symlink", name: "link", target: "hello" },
 * ]);
 * const { tree } = unpackAsKernel(image, { kernel: "6.12" });
 * console.log(new TextDecoder().decode(readKernelFile(tree, "link"))); // Hello
 * ```
 */
export function readKernelFile(
  tree: KernelTree,
  path: string | Uint8Array,
  options: { readonly maxSize?: number | undefined } = {},
): Uint8Array | undefined {
  const inode = findKernelFile(tree, path);
  if (inode?.type !== "file") return undefined;
  const limit = options.maxSize ?? DEFAULT_MAX_SIZE;
  if (inode.size > limit) {
    throw new CpioError(
      "CPIO_LIMIT",
      `The file ${quote(path)} has ${inode.size} bytes, at most ${limit} are wanted`,
    );
  }
  const bytes = new Uint8Array(inode.size);
  let offset = 0;
  for (const chunk of inode.data) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
