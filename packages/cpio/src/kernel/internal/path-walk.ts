// Path lookup after fs/namei.c, for a process that may do everything and whose directory is the root.
// Names are strings of one character per byte.

import { type Directory, type Inode, isDirectory } from "./inode.ts";

/** Why the file system refuses. */
export type Errno =
  | "ENOENT"
  | "ENOTDIR"
  | "EEXIST"
  | "EISDIR"
  | "ENOTEMPTY"
  | "EBUSY"
  | "EINVAL"
  | "ELOOP"
  | "ENAMETOOLONG"
  | "ENXIO"
  | "EPERM";

const MAX_SYMLINKS = 40;
const NAME_MAX = 255;

/** The way down from the root, and how many symlinks were followed on it. */
export interface Place {
  readonly stack: Directory[];
  links: number;
}

/** The last component of a path, which each operation treats in its own way. */
export type Last =
  | { readonly kind: "name"; readonly name: string; readonly slash: boolean }
  | { readonly kind: "dot" | "dotdot" | "root" };

export function startAt(root: Directory): Place {
  return { stack: [root], links: 0 };
}

export function here(place: Place): Directory {
  return place.stack[place.stack.length - 1] as Directory;
}

export function up(place: Place): void {
  if (place.stack.length > 1) place.stack.pop();
}

function afterSlashes(text: string, from: number): number {
  let index = from;
  while (text.charCodeAt(index) === 47) index++;
  return index;
}

/** Counts a symlink and goes to where its target starts; returns what is left to walk. */
export function enterLink(place: Place, link: Inode): string | { readonly error: Errno } {
  if (place.links++ >= MAX_SYMLINKS) return { error: "ELOOP" };
  const target = latin1(link.targetBytes as Uint8Array);
  const start = afterSlashes(target, 0);
  if (start > 0) place.stack.length = 1;
  return target.slice(start);
}

/**
 * Goes to the directory of a path's last component. Symlinks on the way are followed, an empty one leads to the
 * directory that it is in.
 */
export function walkToLast(place: Place, path: string): Last | Errno {
  if (path.startsWith("/")) place.stack.length = 1;
  // Targets of symlinks wait in front of what is left of the path.
  const pending = [{ text: path, index: 0 }];
  for (;;) {
    const top = pending[pending.length - 1] as { readonly text: string; index: number };
    const start = afterSlashes(top.text, top.index);
    if (start === top.text.length) {
      if (pending.length === 1) return { kind: "root" };
      pending.pop();
      continue;
    }
    const slash = top.text.indexOf("/", start);
    const end = slash < 0 ? top.text.length : slash;
    const name = top.text.slice(start, end);
    top.index = afterSlashes(top.text, end);
    if (pending.length === 1 && top.index === top.text.length) {
      if (name === ".") return { kind: "dot" };
      if (name === "..") return { kind: "dotdot" };
      return { kind: "name", name, slash: slash >= 0 };
    }
    if (name === ".") continue;
    if (name === "..") {
      up(place);
      continue;
    }
    const child = childOf(here(place), name);
    if (typeof child === "string") return child;
    if (isDirectory(child)) {
      place.stack.push(child);
    } else if (child.type === "symlink") {
      const text = enterLink(place, child);
      if (typeof text !== "string") return text.error;
      pending.push({ text, index: 0 });
    } else {
      return "ENOTDIR";
    }
  }
}

export function childOf(directory: Directory, name: string): Inode | Errno {
  if (name.length > NAME_MAX) return "ENAMETOOLONG";
  return directory.entries.get(name) ?? "ENOENT";
}

/** Finds what a path leads to; a last component that is a symlink only with `follow` or a slash after it. */
export function lookUp(root: Directory, path: string, follow: boolean): Inode | Errno {
  const place = startAt(root);
  let follows = follow;
  let wantsDirectory = false;
  for (let rest = path; ;) {
    const last = walkToLast(place, rest);
    if (typeof last === "string") return last;
    if (last.kind === "dotdot") up(place);
    if (last.kind !== "name") return here(place);
    if (last.slash) {
      follows = true;
      wantsDirectory = true;
    }
    const child = childOf(here(place), last.name);
    if (typeof child === "string") return child;
    if (child.type !== "symlink" || !follows)
      return wantsDirectory && !isDirectory(child) ? "ENOTDIR" : child;
    const target = enterLink(place, child);
    if (typeof target !== "string") return target.error;
    if (target === "") return here(place);
    rest = target;
  }
}

/** One character per byte. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
