// The operations of fs/init.c and fs/namei.c that the unpacker uses, each with the error that it passes over.

import type { CpioDevice, CpioType } from "../../entry.ts";
import { toText, TYPE_BITS, TYPE_MASK } from "../../internal/layout.ts";
import { type Directory, type Inode, isDirectory, takeBytes } from "./inode.ts";
import { childOf, enterLink, type Errno, here, lookUp, startAt, walkToLast } from "./path-walk.ts";

const SET_GID = 0o2000;
const MODE_BITS = 0o7777;
/** (uid_t)-1: chown leaves it as it is. */
const UNCHANGED = 0xffff_ffff;
/** Most files of a hostile image are empty: they share this. */
const NO_DATA: readonly Uint8Array[] = [];
/** The longest target with its NUL is a page. */
const PAGE_SIZE = 4096;

export interface FileSystem {
  readonly root: Directory;
  /** A ramfs takes a target of 4096 bytes and shows 4095 of it; a tmpfs refuses it. */
  readonly cutsTargets: boolean;
  made: number;
}

export function createFileSystem(kind: "tmpfs" | "ramfs", checksTargets: boolean): FileSystem {
  // shmem_init_fs_context() and ramfs_init_fs_context() choose the root's mode.
  const mode = TYPE_BITS.directory | (kind === "tmpfs" ? 0o1777 : 0o755);
  const root = newInode(0, "directory", mode, 0) as Directory;
  root.nlink = 2;
  return { root, cutsTargets: kind === "ramfs" && !checksTargets, made: 1 };
}

function newInode(
  id: number,
  type: CpioType,
  mode: number,
  gid: number,
  more: { readonly rdev?: CpioDevice; readonly targetBytes?: Uint8Array; readonly size?: number } = {},
): Inode {
  return {
    id,
    type,
    mode,
    uid: 0,
    gid,
    nlink: 0,
    mtime: undefined,
    size: more.size ?? 0,
    rdev: more.rdev,
    target: more.targetBytes === undefined ? undefined : toText(more.targetBytes),
    targetBytes: more.targetBytes,
    data: NO_DATA,
    entries: type === "directory" ? new Map() : undefined,
  };
}

/** The place for a new name, as filename_create() finds it. */
function placeFor(
  fs: FileSystem,
  path: string,
  forDirectory: boolean,
): { readonly directory: Directory; readonly name: string } | Errno {
  const place = startAt(fs.root);
  const last = walkToLast(place, path);
  if (typeof last === "string") return last;
  if (last.kind !== "name") return "EEXIST";
  const child = childOf(here(place), last.name);
  if (child === "ENAMETOOLONG") return child;
  if (child !== "ENOENT") return "EEXIST";
  if (last.slash && !forDirectory) return "ENOENT";
  return { directory: here(place), name: last.name };
}

/** New files belong to the directory's group if that has the set-group-id bit, see inode_init_owner(). */
function add(
  fs: FileSystem,
  directory: Directory,
  name: string,
  type: CpioType,
  mode: number,
  more?: Parameters<typeof newInode>[4],
): Inode {
  const gid = (directory.mode & SET_GID) === 0 ? 0 : directory.gid;
  const inode = newInode(fs.made++, type, TYPE_BITS[type] | (mode & MODE_BITS), gid, more);
  inode.nlink = type === "directory" ? 2 : 1;
  if (type === "directory") directory.nlink++;
  directory.entries.set(name, inode);
  directory.mtime = undefined;
  return inode;
}

export function makeDirectory(fs: FileSystem, path: string, mode: number): Errno | undefined {
  const place = placeFor(fs, path, true);
  if (typeof place === "string") return place;
  add(fs, place.directory, place.name, "directory", mode);
  return undefined;
}

export function makeNode(
  fs: FileSystem,
  path: string,
  type: CpioType,
  mode: number,
  rdev: CpioDevice,
): Errno | undefined {
  const place = placeFor(fs, path, false);
  if (typeof place === "string") return place;
  const isDevice = type === "character" || type === "block";
  add(fs, place.directory, place.name, type, mode, isDevice ? { rdev } : {});
  return undefined;
}

export function makeSymlink(fs: FileSystem, path: string, target: Uint8Array): Errno | undefined {
  const place = placeFor(fs, path, false);
  if (typeof place === "string") return place;
  if (target.length >= PAGE_SIZE && !fs.cutsTargets) return "ENAMETOOLONG";
  add(fs, place.directory, place.name, "symlink", 0o777, {
    targetBytes: target.subarray(0, PAGE_SIZE - 1),
    size: target.length,
  });
  return undefined;
}

export function makeLink(fs: FileSystem, old: string, path: string): Errno | undefined {
  const inode = lookUp(fs.root, old, false);
  if (typeof inode === "string") return inode;
  const place = placeFor(fs, path, false);
  if (typeof place === "string") return place;
  if (isDirectory(inode)) return "EPERM";
  inode.nlink++;
  place.directory.entries.set(place.name, inode);
  place.directory.mtime = undefined;
  return undefined;
}

/** Removes whatever is there if its type is not the wanted one: `true` if something went. */
export function cleanPath(fs: FileSystem, path: string, wantedMode: number): boolean {
  const found = lookUp(fs.root, path, false);
  if (typeof found === "string" || ((found.mode ^ wantedMode) & TYPE_MASK) === 0) return false;
  return (isDirectory(found) ? removeDirectory(fs, path) : unlink(fs, path)) === undefined;
}

export function unlink(fs: FileSystem, path: string): Errno | undefined {
  const place = startAt(fs.root);
  const last = walkToLast(place, path);
  if (typeof last === "string") return last;
  if (last.kind !== "name") return "EISDIR";
  const child = childOf(here(place), last.name);
  if (typeof child === "string") return child;
  if (isDirectory(child)) return "EISDIR";
  if (last.slash) return "ENOTDIR";
  child.nlink--;
  here(place).entries.delete(last.name);
  here(place).mtime = undefined;
  return undefined;
}

export function removeDirectory(fs: FileSystem, path: string): Errno | undefined {
  const place = startAt(fs.root);
  const last = walkToLast(place, path);
  if (typeof last === "string") return last;
  if (last.kind === "dotdot") return "ENOTEMPTY";
  if (last.kind !== "name") return last.kind === "dot" ? "EINVAL" : "EBUSY";
  const child = childOf(here(place), last.name);
  if (typeof child === "string") return child;
  if (!isDirectory(child)) return "ENOTDIR";
  if (child.entries.size > 0) return "ENOTEMPTY";
  here(place).nlink--;
  here(place).entries.delete(last.name);
  here(place).mtime = undefined;
  return undefined;
}

/** What opening for writing leads to; a last symlink is followed, also to make the file that it points at. */
export type Opened =
  | { readonly kind: "file"; readonly inode: Inode; readonly existed: boolean }
  | { readonly kind: "fifo" }
  | { readonly kind: "device" };

export function openForWriting(
  fs: FileSystem,
  path: string,
  mode: number,
  truncates: boolean,
): Opened | Errno {
  const place = startAt(fs.root);
  for (let rest = path; ;) {
    const last = walkToLast(place, rest);
    if (typeof last === "string") return last;
    if (last.kind !== "name" || last.slash) return "EISDIR";
    const child = childOf(here(place), last.name);
    if (child === "ENOENT") {
      return { kind: "file", inode: add(fs, here(place), last.name, "file", mode), existed: false };
    }
    if (typeof child === "string") return child;
    if (child.type === "symlink") {
      const target = enterLink(place, child);
      if (typeof target !== "string") return target.error;
      if (target === "") return "EISDIR";
      rest = target;
      continue;
    }
    if (isDirectory(child)) return "EISDIR";
    if (child.type === "socket") return "ENXIO";
    if (child.type === "fifo") return { kind: "fifo" };
    if (child.type !== "file") return { kind: "device" };
    if (truncates) truncate(child, 0);
    return { kind: "file", inode: child, existed: true };
  }
}

export function truncate(inode: Inode, size: number): void {
  inode.data = takeBytes(inode.data, size);
  inode.size = size;
  inode.mtime = undefined;
}

export function changeOwner(inode: Inode, uid: number, gid: number): void {
  if (uid !== UNCHANGED) inode.uid = uid;
  if (gid !== UNCHANGED) inode.gid = gid;
}

export function changeMode(inode: Inode, mode: number): void {
  inode.mode = (inode.mode & ~MODE_BITS) | (mode & MODE_BITS);
}
