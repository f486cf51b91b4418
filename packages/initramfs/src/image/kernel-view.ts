import type { KernelInode, KernelTree } from "@justenough/cpio";

import { InitramfsError } from "../error.ts";
import { compareNames, decodeName, encodeName } from "../internal/names.ts";
import type { FileView, ViewNode } from "../internal/view.ts";
import { piecesSource } from "./pieces.ts";

/** What the kernel has unpacked, as a root file system that can be searched. */
export function kernelView(tree: KernelTree): FileView {
  const known = new Map<string, KernelInode | undefined>();
  const find = (path: string): KernelInode | undefined => {
    if (!known.has(path)) known.set(path, findInode(tree.root, path));
    return known.get(path);
  };
  return {
    lookup: (path) => {
      const inode = find(path);
      return inode === undefined ? undefined : toNode(inode);
    },
    read(path, offset, length) {
      const inode = find(path);
      if (inode?.type !== "file") {
        throw new InitramfsError("INITRAMFS_READ", `"${path}" is no file in the image`);
      }
      return readData(inode, offset, length);
    },
    list: (path) => {
      const names = find(path)?.entries?.keys() ?? [];
      return [...names].map((name) => decodeName(Buffer.from(name, "latin1"))).sort(compareNames);
    },
  };
}

/** By a canonical path; a link is not followed. */
function findInode(root: KernelInode, path: string): KernelInode | undefined {
  let inode: KernelInode | undefined = root;
  for (const part of path.split("/")) {
    if (part !== "") inode = inode?.entries?.get(Buffer.from(encodeName(part)).toString("latin1"));
  }
  return inode;
}

function toNode(inode: KernelInode): ViewNode {
  const mode = inode.mode & 0o7777;
  switch (inode.type) {
    case "file":
      return { kind: "file", mode, size: inode.size };
    case "directory":
      return { kind: "directory", mode };
    case "symlink":
      return { kind: "link", to: decodeName(inode.targetBytes ?? new Uint8Array(0)) };
    case "fifo":
      return { kind: "other", what: "a named pipe", mode };
    case "socket":
      return { kind: "other", what: "a socket", mode };
    default:
      return { kind: "other", what: "a device", mode };
  }
}

/** A file of an image that was cut reads as zeros behind its data. */
export function readData(inode: KernelInode, offset: number, length: number): Uint8Array {
  const wanted = Math.max(0, Math.min(length, inode.size - offset));
  const source = piecesSource(inode.data);
  const first = offset < source.size ? source.read(offset, wanted) : new Uint8Array(0);
  if (first.length === wanted) return first;
  const bytes = new Uint8Array(wanted);
  bytes.set(first);
  for (let done = first.length; done < wanted && offset + done < source.size;) {
    const piece = source.read(offset + done, wanted - done);
    bytes.set(piece, done);
    done += piece.length;
  }
  return bytes;
}
