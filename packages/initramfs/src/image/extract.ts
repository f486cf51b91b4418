import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { resolve } from "node:path";

import { type KernelInode, type KernelTree, listKernelTree } from "@justenough/cpio";

import { InitramfsError } from "../error.ts";
import { quoteName } from "../internal/names.ts";

/** What was written, and what was not. */
export interface ExtractedImage {
  /** Files, directories and links. */
  readonly written: number;
  /** Devices, pipes and sockets: an unpacked image is for looking at. */
  readonly skipped: readonly string[];
}

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/**
 * Writes what the kernel would unpack into a new directory. All is written into an empty directory that nobody else
 * knows, symbolic links last, so that no name can lead out of it; it gets its own name when it is complete. Files
 * belong to whoever calls, without setuid and setgid.
 *
 * @throws {InitramfsError} if the directory exists and is not empty, or cannot be written
 */
export function extractImage(tree: KernelTree, directory: string): ExtractedImage {
  const target = resolve(directory);
  refuseFilled(target);
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
  try {
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
    const result = write(tree, Buffer.from(temporary));
    renameSync(temporary, target);
    return result;
  } catch (error) {
    makeRemovable(tree, Buffer.from(temporary));
    rmSync(temporary, { recursive: true, force: true });
    if (error instanceof InitramfsError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new InitramfsError(
      code === "ENOSPC" ? "INITRAMFS_NO_SPACE" : "INITRAMFS_WRITE",
      `Cannot write "${target}": ${message}`,
      { cause: error },
    );
  }
}

function refuseFilled(target: string): void {
  let names: string[];
  try {
    names = readdirSync(target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new InitramfsError("INITRAMFS_WRITE", `Cannot extract to "${target}": it is no directory`, {
      cause: error,
    });
  }
  if (names.length === 0) return;
  throw new InitramfsError("INITRAMFS_WRITE", `Cannot extract to "${target}": the directory is not empty`, {
    hint: "Name a directory that does not exist yet",
  });
}

function write(tree: KernelTree, top: Buffer): ExtractedImage {
  const first = new Map<KernelInode, Buffer>();
  const links: [at: Buffer, target: Uint8Array][] = [];
  const directories: [at: Buffer, mode: number][] = [];
  const skipped: string[] = [];
  let written = 0;
  for (const { path, pathBytes, inode } of listKernelTree(tree)) {
    const at = path === "" ? top : Buffer.concat([top, Buffer.from("/"), pathBytes]);
    if (inode.type === "directory") {
      if (path !== "") mkdirSync(at, 0o700);
      // The root itself is open to all in the guest, which would surprise here.
      directories.push([at, inode.mode & (path === "" ? 0o755 : 0o1777)]);
    } else if (inode.type === "symlink") {
      links.push([at, inode.targetBytes ?? new Uint8Array(0)]);
    } else if (inode.type === "file") {
      const other = first.get(inode);
      if (other === undefined) writeFile(at, inode);
      else linkSync(other, at);
      first.set(inode, other ?? at);
    } else {
      skipped.push(quoteName(`/${path}`));
      continue;
    }
    written++;
  }
  for (const [at, target] of links) symlinkSync(Buffer.from(target), at);
  // The deepest first: one may forbid to go into it.
  for (const [at, mode] of directories.reverse()) chmodSync(at, mode);
  return { written, skipped };
}

function writeFile(at: Buffer, inode: KernelInode): void {
  const fd = openSync(at, NEW_FILE, 0o600);
  try {
    for (const chunk of inode.data) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
    // An image that was cut may have files that are longer than what is there; the kernel's are, too.
    ftruncateSync(fd, inode.size);
  } finally {
    closeSync(fd);
  }
  chmodSync(at, inode.mode & 0o777);
}

function makeRemovable(tree: KernelTree, top: Buffer): void {
  for (const { pathBytes, inode } of listKernelTree(tree)) {
    if (inode.type !== "directory") continue;
    try {
      chmodSync(Buffer.concat([top, Buffer.from("/"), pathBytes]), 0o700);
    } catch {
      // It was not made yet.
    }
  }
}
