import { basename } from "node:path";

import type { KernelInode } from "@justenough/cpio";

import { InitramfsError } from "../error.ts";
import { readData } from "../image/kernel-view.ts";
import { readImage } from "../image/read-image.ts";
import { decodeName } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { type Directory, type Leaf, newDirectory } from "./root.ts";

/** An initramfs as the kernel unpacks it: all its archives, later ones over earlier ones. */
export function readInitramfsLayer(path: string, context: LayerContext): ReadLayer {
  const { tree, failure } = readImage(path, { arch: context.arch });
  const name = basename(path);
  if (failure !== undefined) {
    throw new InitramfsError(
      "INITRAMFS_LAYER",
      `${name}: the kernel gives up unpacking it at byte ${failure.location.member ?? failure.location.offset}: ${failure.message}`,
      { hint: `See initramfs verify ${path}` },
    );
  }
  const walk: Walk = { context, why: `in ${name}`, name, leaves: new Map() };
  // Another mode than the kernel's own comes from the image.
  const isSet = (tree.root.mode & 0o7777) !== 0o1777;
  const root = newDirectory(isSet ? { kind: "directory", ...attributes(tree.root, walk) } : undefined);
  fill(root, tree.root, walk);
  return { root, info: { kind: "initramfs", source: path, name }, diagnostics: [] };
}

interface Walk {
  readonly context: LayerContext;
  readonly why: string;
  readonly name: string;
  /** One for each file, whatever its names. */
  readonly leaves: Map<KernelInode, Leaf>;
}

function fill(root: Directory, top: KernelInode, walk: Walk): void {
  const pending: [Directory, KernelInode][] = [[root, top]];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [directory, inode] = next;
    for (const [latin1, child] of inode.entries ?? []) {
      walk.context.budget.entry(walk.name);
      const name = decodeName(Buffer.from(latin1, "latin1"));
      if (child.type === "directory") {
        const below = newDirectory({ kind: "directory", ...attributes(child, walk) });
        directory.children.set(name, below);
        pending.push([below, child]);
      } else {
        const leaf = walk.leaves.get(child) ?? { node: toNode(child, walk), file: {} };
        walk.leaves.set(child, leaf);
        directory.children.set(name, leaf);
      }
    }
  }
}

function toNode(inode: KernelInode, walk: Walk): Leaf["node"] {
  const { mode, ...common } = attributes(inode, walk);
  switch (inode.type) {
    case "file": {
      walk.context.budget.bytes(inode.size, walk.name);
      if (inode.data.reduce((sum, { length }) => sum + length, 0) < inode.size) {
        throw new InitramfsError("INITRAMFS_LAYER", `${walk.name}: the image ends inside of a file`);
      }
      const content = { kind: "bytes", bytes: readData(inode, 0, inode.size) } as const;
      return { kind: "file", mode, content, ...common };
    }
    case "symlink":
      return { kind: "link", to: decodeName(inode.targetBytes ?? new Uint8Array(0)), ...common };
    case "character":
    case "block": {
      const { major, minor } = inode.rdev ?? { major: 0, minor: 0 };
      return { kind: "device", type: inode.type, mode, major, minor, ...common };
    }
    default:
      return { kind: inode.type === "fifo" ? "fifo" : "socket", mode, ...common };
  }
}

function attributes(
  { mode, uid, gid }: KernelInode,
  { why }: Walk,
): Pick<Extract<TreeNode, { kind: "directory" }>, "mode" | "uid" | "gid" | "why"> {
  return {
    mode: mode & 0o7777,
    why,
    ...(uid === 0 ? {} : { uid }),
    ...(gid === 0 ? {} : { gid }),
  };
}
