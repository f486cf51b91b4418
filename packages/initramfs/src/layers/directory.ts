import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from "node:fs";
import { resolve as resolveHost } from "node:path";

import { checkAborted } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { InitramfsError } from "../error.ts";
import { readError } from "../internal/host-view.ts";
import { decodeName, encodeName } from "../internal/names.ts";
import type { TreeNode } from "../tree.ts";
import type { LayerContext, ReadLayer } from "./layer.ts";
import { type Directory, type Leaf, newDirectory } from "./root.ts";

/** A directory of this machine as a root file system. Links in it are never followed, mount points stay empty. */
export function readDirectoryLayer(path: string, context: LayerContext): ReadLayer {
  const source = resolveHost(path);
  const stats = look(source);
  if (!stats.isDirectory()) throw new InitramfsError("INITRAMFS_READ", `"${source}" is no directory`);
  const walkState: Walk = { context, device: stats.dev, files: new Map(), diagnostics: [], why: source };
  const root = newDirectory();
  root.node = { kind: "directory", ...attributes(stats, walkState) };
  fill(root, source, "", walkState);
  return { root, info: { kind: "directory", source, name: source }, diagnostics: walkState.diagnostics };
}

interface Walk {
  readonly context: LayerContext;
  readonly device: bigint;
  /** Files of several names by device and inode. */
  readonly files: Map<string, Leaf>;
  readonly diagnostics: Diagnostic[];
  readonly why: string;
}

function fill(directory: Directory, from: string, path: string, state: Walk): void {
  checkAborted(state.context.signal);
  for (const name of names(from)) {
    const host = `${from}/${name}`;
    const at = `${path}/${name}`;
    state.context.budget.entry(state.why);
    const stats = look(host);
    if (!stats.isDirectory()) {
      directory.children.set(name, leaf(host, stats, state));
      continue;
    }
    const child = newDirectory({ kind: "directory", ...attributes(stats, state) });
    directory.children.set(name, child);
    if (stats.dev === state.device) fill(child, host, at, state);
    else state.diagnostics.push(mountPoint(at, state.why));
  }
}

/** As bytes, so that names which are no UTF-8 can be opened again. */
function names(path: string): string[] {
  try {
    return readdirSync(encodeName(path), { encoding: "buffer" }).map((name) => decodeName(name));
  } catch (error) {
    throw readError(path, error);
  }
}

function look(path: string): BigIntStats {
  try {
    return lstatSync(encodeName(path), { bigint: true });
  } catch (error) {
    throw readError(path, error);
  }
}

function leaf(host: string, stats: BigIntStats, state: Walk): Leaf {
  const key = `${stats.dev}:${stats.ino}`;
  const known = state.files.get(key);
  if (known !== undefined) return known;
  const made = { node: toNode(host, stats, state), file: {} };
  if (stats.nlink > 1n && made.node.kind !== "link") state.files.set(key, made);
  return made;
}

function toNode(host: string, stats: BigIntStats, state: Walk): Exclude<TreeNode, { kind: "directory" }> {
  const common = attributes(stats, state);
  if (stats.isSymbolicLink()) {
    const { mode: _, ...rest } = common;
    return { kind: "link", to: decodeName(readlinkSync(encodeName(host), { encoding: "buffer" })), ...rest };
  }
  if (stats.isFile()) {
    const size = Number(stats.size);
    state.context.budget.bytes(size, state.why);
    return { kind: "file", content: { kind: "host", path: host, size }, ...common };
  }
  if (stats.isFIFO()) return { kind: "fifo", ...common };
  if (stats.isSocket()) return { kind: "socket", ...common };
  const type = stats.isBlockDevice() ? "block" : "character";
  return { kind: "device", type, ...deviceNumber(stats.rdev), ...common };
}

function attributes({ mode, uid, gid, mtimeNs }: BigIntStats, { context, why }: Walk) {
  const seconds = Number(mtimeNs / 1_000_000_000n);
  return {
    mode: Number(mode) & 0o7777,
    why: `part of the directory ${why}`,
    ...(uid === 0n ? {} : { uid: Number(uid) }),
    ...(gid === 0n ? {} : { gid: Number(gid) }),
    ...(context.keepTimes ? { mtime: Math.min(0xffff_ffff, Math.max(0, seconds)) } : {}),
  };
}

/** glibc's gnu_dev_major() and gnu_dev_minor(), sys/sysmacros.h. */
function deviceNumber(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xffff_f000n)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffff_ff00n)),
  };
}

function mountPoint(path: string, source: string): Diagnostic {
  return {
    code: "mount-point",
    severity: "note",
    path,
    message: `Something is mounted at "${path}" of ${source}; the image has an empty directory there`,
  };
}
