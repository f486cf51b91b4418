import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type Stats } from "node:fs";
import { join as joinHost, resolve as resolveHost } from "node:path";

import { InitramfsError } from "../error.ts";
import { encodeName } from "./names.ts";
import type { FileView, ViewNode } from "./view.ts";

/** A directory of this machine as a root file system; links are read relative to it. */
export interface HostView extends FileView {
  readonly sysroot: string;
  /** Where a canonical path is on this machine. */
  hostPath(path: string): string;
}

/** What is looked at is remembered: a closure asks for the same directories a thousand times. */
export function hostView(sysroot = "/"): HostView {
  const root = resolveHost(sysroot);
  const known = new Map<string, ViewNode | undefined>();
  const hostPath = (path: string): string => (root === "/" ? path : joinHost(root, path));
  return {
    sysroot: root,
    hostPath,
    lookup(path) {
      if (known.has(path)) return known.get(path);
      const node = lookupHost(hostPath(path));
      known.set(path, node);
      return node;
    },
    read: (path, offset, length) => readHostRange(hostPath(path), offset, length),
    list: (path) => readdirSync(hostPath(path)).sort(),
  };
}

/** The node at a host path, its last component not followed. */
export function lookupHost(path: string): ViewNode | undefined {
  let stats: Stats | undefined;
  try {
    stats = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR" || code === "ELOOP" || code === "ENAMETOOLONG") return undefined;
    throw readError(path, error);
  }
  if (stats === undefined) return undefined;
  const mode = stats.mode & 0o7777;
  if (stats.isSymbolicLink()) return { kind: "link", to: readlinkSync(path) };
  if (stats.isFile()) return { kind: "file", mode, size: stats.size };
  if (stats.isDirectory()) return { kind: "directory", mode };
  const what = stats.isFIFO() ? "a named pipe" : stats.isSocket() ? "a socket" : "a device";
  return { kind: "other", what, mode };
}

export function readHostRange(path: string, offset: number, length: number): Uint8Array {
  let fd: number | undefined;
  try {
    fd = openSync(encodeName(path), "r");
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const got = readSync(fd, bytes, done, length - done, offset + done);
      if (got === 0) break;
      done += got;
    }
    return bytes.subarray(0, done);
  } catch (error) {
    throw readError(path, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

export function readError(path: string, error: unknown): InitramfsError {
  const { code, message } = error as NodeJS.ErrnoException;
  const denied = code === "EACCES" || code === "EPERM";
  return new InitramfsError(
    "INITRAMFS_READ",
    `Cannot read "${path}": ${denied ? "permission denied" : message}`,
    {
      cause: error,
      ...(denied ? { hint: "Make the file readable for you, or build the image as root" } : {}),
    },
  );
}
