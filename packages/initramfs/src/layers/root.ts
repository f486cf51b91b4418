import { posix } from "node:path";

import { InitramfsError } from "../error.ts";
import { compareNames, nameLength, quoteName } from "../internal/names.ts";
import type { FileContent, TreeNode } from "../tree.ts";
import { MAX_PATH } from "./entry-path.ts";
import { layerError } from "./layer-error.ts";

export type DirectoryNode = Extract<TreeNode, { kind: "directory" }>;
type LeafNode = Exclude<TreeNode, DirectoryNode>;

/** A root file system being put together, or one layer of it. */
export interface Directory {
  /** Absent where the archive has only what is below. */
  node: DirectoryNode | undefined;
  readonly children: Map<string, Directory | Leaf>;
  /** What the layer takes away from those below it. */
  readonly whiteouts: Set<string>;
  opaque: boolean;
}

/** All but directories. Names that share `file` are hard links of one file. */
export interface Leaf {
  readonly node: LeafNode;
  readonly file: object;
}

export function newDirectory(node?: DirectoryNode): Directory {
  return { node, children: new Map(), whiteouts: new Set(), opaque: false };
}

export function isDirectory(entry: Directory | Leaf | undefined): entry is Directory {
  return entry !== undefined && "children" in entry;
}

/** Linux gives up after so many, MAXSYMLINKS of include/linux/namei.h. */
const MAX_LINKS = 40;

interface Step {
  readonly directory: Directory;
  readonly path: string;
}

/**
 * The directory at a path, with links on the way followed inside of the root, as a process in a chroot would.
 * Missing ones are made if asked for, else there is none; a file on the way is an error or none.
 */
export function walk(root: Directory, parts: readonly string[], make?: string): Step | undefined {
  const steps: Step[] = [{ directory: root, path: "" }];
  const pending = [...parts].reverse();
  let links = 0;
  while (pending.length > 0) {
    const part = pending.pop() as string;
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (steps.length > 1) steps.pop();
      continue;
    }
    const here = steps.at(-1) as Step;
    let child = here.directory.children.get(part);
    if (child === undefined && make !== undefined) {
      child = newDirectory();
      here.directory.children.set(part, child);
    }
    if (isDirectory(child)) {
      steps.push({ directory: child, path: `${here.path}/${part}` });
    } else if (child?.node.kind === "link" && ++links <= MAX_LINKS) {
      if (child.node.to.startsWith("/")) steps.length = 1;
      pending.push(...child.node.to.split("/").reverse());
    } else if (make === undefined) {
      return undefined;
    } else {
      const problem =
        links > MAX_LINKS
          ? "leads through a loop of links"
          : `is below ${quoteName(part)}, which is no directory`;
      throw layerError(make, [...parts, "…"].join("/"), problem);
    }
  }
  return steps.at(-1);
}

/** Puts an entry at its place; what was there is replaced, but a directory keeps what it holds. */
export function put(
  root: Directory,
  parts: readonly string[],
  entry: Leaf | DirectoryNode,
  archive: string,
): void {
  const name = parts.at(-1);
  if (name === undefined) {
    if ("file" in entry) throw layerError(archive, "/", "is the root and no directory");
    root.node = entry;
    return;
  }
  const { directory, path } = walk(root, parts.slice(0, -1), archive) as Step;
  if (nameLength(path) + 1 + nameLength(name) > MAX_PATH) {
    throw layerError(archive, parts.join("/"), "has a name that is too long for Linux where links lead it");
  }
  const existing = directory.children.get(name);
  if ("file" in entry) directory.children.set(name, entry);
  else if (isDirectory(existing)) existing.node = entry;
  else directory.children.set(name, newDirectory(entry));
}

/** What stands at a path; the last component is not followed. */
export function find(root: Directory, parts: readonly string[]): Directory | Leaf | undefined {
  const name = parts.at(-1);
  return name === undefined ? root : walk(root, parts.slice(0, -1))?.directory.children.get(name);
}

/** The content of the file that a path leads to, all links followed. */
export function findFile(root: Directory, parts: readonly string[]): FileContent | undefined {
  let path = parts;
  for (let links = 0; links <= MAX_LINKS; links++) {
    const found = find(root, path);
    if (found === undefined || isDirectory(found)) return undefined;
    if (found.node.kind !== "link") return found.node.kind === "file" ? found.node.content : undefined;
    const { to } = found.node;
    const target = to.startsWith("/") ? to : [...path.slice(0, -1), to].join("/");
    // Where ".." passes a link of the archive, walk() knows where that leads; here it need not.
    path = posix.normalize(`/${target}`).split("/").filter(Boolean);
  }
  return undefined;
}

/** All nodes by path, directories before what they hold; hard links get numbers in that order. */
export function flatten(root: Directory): [path: string, node: TreeNode][] {
  const found: [path: string, entry: Leaf | DirectoryNode][] = [];
  collect(root, "", found);
  const names = new Map<object, number>();
  for (const [, entry] of found) if ("file" in entry) names.set(entry.file, (names.get(entry.file) ?? 0) + 1);
  const inodes = new Map<object, number>();
  return found
    .sort(([a], [b]) => compareNames(a, b))
    .map(([path, entry]) => {
      if (!("file" in entry)) return [path, entry];
      if ((names.get(entry.file) ?? 0) < 2) return [path, entry.node];
      const inode = inodes.get(entry.file) ?? inodes.size + 1;
      inodes.set(entry.file, inode);
      return [path, { ...entry.node, inode }];
    });
}

function collect(directory: Directory, path: string, found: [string, Leaf | DirectoryNode][]): void {
  for (const [name, child] of directory.children) {
    const at = `${path}/${name}`;
    if (nameLength(at) > MAX_PATH) {
      throw new InitramfsError(
        "INITRAMFS_LAYER",
        `The layers together make a name too long for Linux: ${quoteName(at)}`,
      );
    }
    if (!isDirectory(child)) {
      found.push([at, child]);
      continue;
    }
    found.push([at, child.node ?? impliedNode(at, child)]);
    collect(child, at, found);
  }
}

function impliedNode(path: string, { children }: Directory): DirectoryNode {
  const [first] = [...children.keys()].sort(compareNames);
  return { kind: "directory", mode: 0o755, why: `directory of ${path}/${first}` };
}
