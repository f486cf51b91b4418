import type { CpioDevice, CpioType } from "../../entry.ts";

/** A {@link KernelInode} while it is being made. */
export interface Inode {
  readonly id: number;
  readonly type: CpioType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  mtime: number | undefined;
  size: number;
  readonly rdev: CpioDevice | undefined;
  readonly target: string | undefined;
  readonly targetBytes: Uint8Array | undefined;
  data: readonly Uint8Array[];
  readonly entries: Map<string, Inode> | undefined;
}

/** An inode that is known to be a directory. */
export type Directory = Inode & { readonly entries: Map<string, Inode> };

export function isDirectory(inode: Inode): inode is Directory {
  return inode.entries !== undefined;
}

/** The chunks from a byte on. */
export function dropBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let skip = count;
  for (const chunk of chunks) {
    if (skip === 0) kept.push(chunk);
    else if (skip < chunk.length) kept.push(chunk.subarray(skip));
    skip = Math.max(0, skip - chunk.length);
  }
  return kept;
}

/** The chunks up to a byte. */
export function takeBytes(chunks: readonly Uint8Array[], count: number): Uint8Array[] {
  const kept: Uint8Array[] = [];
  let left = count;
  for (const chunk of chunks) {
    if (left === 0) break;
    kept.push(chunk.length <= left ? chunk : chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  }
  return kept;
}
