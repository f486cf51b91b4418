import { toText } from "../internal/layout.ts";
import { fromLatin1 } from "./internal/path-walk.ts";
import type { KernelInode, KernelTree } from "./kernel-result.ts";

/** One name in a {@link KernelTree}. */
export interface KernelTreeEntry {
  /** Path without a leading slash as text (UTF-8, invalid bytes replaced). The root's is empty. */
  readonly path: string;
  readonly pathBytes: Uint8Array;
  readonly inode: KernelInode;
}

/**
 * Gives all names of a tree, the root's first, each directory before what is in it, names in the order of their
 * bytes. Paths are made as they are asked for, so that a deep tree takes no more memory than a flat one.
 *
 * @example
 * ```ts
 * import { encodeCpio, listKernelTree, unpackAsKernel } from "@justenough/cpio";
 * const image = encodeCpio([{ type: "directory", name: "etc" }]);
 * const { tree } = unpackAsKernel(image, { kernel: "6.12" });
 * for (const { path, inode } of listKernelTree(tree)) console.log(inode.mode.toString(8), `/${path}`);
 * // 41777 /, 40755 /dev, 20600 /dev/console, 40755 /etc, 40700 /root
 * ```
 */
export function* listKernelTree(tree: KernelTree): Generator<KernelTreeEntry, void, undefined> {
  // Kept as strings of one character per byte, which share what they have in common.
  const waiting: { readonly path: string; readonly inode: KernelInode }[] = [{ path: "", inode: tree.root }];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const { path, inode } = item;
    const pathBytes = fromLatin1(path);
    yield { path: toText(pathBytes), pathBytes, inode };
    if (inode.entries === undefined) continue;
    const names = [...inode.entries.keys()].sort().reverse();
    for (const name of names) {
      const child = inode.entries.get(name) as KernelInode;
      waiting.push({ path: path === "" ? name : `${path}/${name}`, inode: child });
    }
  }
}
