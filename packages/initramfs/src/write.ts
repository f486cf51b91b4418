import { createHash } from "node:crypto";
import { closeSync, createWriteStream, fsyncSync, openSync, writeSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";

import { CpioError, type CpioInput, packCpio, packCpioSync } from "@justenough/cpio";

import { type Compression, compressor } from "./compression.ts";
import { checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { encodeName } from "./internal/names.ts";
import { PART, readParts } from "./internal/read-parts.ts";
import { replaceFile } from "./internal/replace-file.ts";
import { contentSize, type FileContent, type FileTree, type TreeNode } from "./tree.ts";

export interface WrittenArchive {
  readonly path: string;
  /** Of the file as it is, compressed. */
  readonly sha256: string;
  readonly size: number;
  readonly unpackedSize: number;
}

/**
 * Writes a tree as a newc archive, compressed as asked. Owner and times are 0 but where a layer says otherwise, and
 * the order is the tree's, so that the same files give the same bytes. The file appears complete or not at all.
 *
 * @throws {InitramfsError} if the disk is full, a file vanishes or changes its size, or on abort
 */
export function writeInitramfs(tree: FileTree, options: WriteOptions): Promise<WrittenArchive> {
  // As in archives of `find . | cpio -o`: the kernel takes over its mode and owner.
  const root = tree.root === undefined ? [] : [["/.", tree.root] as const];
  return writeNodes([...root, ...tree.entries()], options);
}

export interface WriteOptions extends InitramfsContext {
  readonly output: string;
  readonly compression: Compression;
}

/** Nodes by path, sorted, each directory before what it holds. */
export type PlacedNodes = readonly (readonly [path: string, node: TreeNode])[];

/** A part of a tree, as an archive of its own. */
export async function writeNodes(nodes: PlacedNodes, options: WriteOptions): Promise<WrittenArchive> {
  const { output, signal } = options;
  checkAborted(signal);
  const plain = options.compression === "none";
  // Where nothing is kept, one buffer serves all files.
  const buffer = plain ? new Uint8Array(PART) : undefined;
  const room = (length: number): Uint8Array => buffer?.subarray(0, length) ?? new Uint8Array(length);
  const { entries, total } = toInputs(nodes, (content) => {
    if (content.kind === "bytes") return content.bytes;
    return { size: content.size, open: () => readParts(content, room) };
  });
  const hash = createHash("sha256");
  let unpackedSize = 0;
  let size = 0;
  const seen = (chunk: Uint8Array): void => {
    unpackedSize += chunk.length;
    options.onProgress?.({ phase: "pack", done: Math.min(unpackedSize, total), total, unit: "bytes" });
  };
  const written = (chunk: Uint8Array): void => {
    size += chunk.length;
    hash.update(chunk);
  };
  await replaceFile(output, async (temporary) => {
    try {
      if (plain) {
        await writePlain(entries, temporary, signal, (chunk) => {
          seen(chunk);
          written(chunk);
        });
        return;
      }
      const source = Readable.from(packCpio(entries), { objectMode: false, highWaterMark: 1 << 20 });
      const sink = createWriteStream(temporary, { flush: true });
      const abort = signal === undefined ? {} : { signal };
      await pipeline([source, meter(seen), ...compressor(options.compression), meter(written), sink], abort);
    } catch (error) {
      checkAborted(signal);
      if (!(error instanceof CpioError)) throw error;
      throw new InitramfsError("INITRAMFS_READ", `Cannot pack the image: ${error.message}`, {
        cause: error,
        hint: error.hint,
      });
    }
  });
  return { path: output, sha256: hash.digest("hex"), size, unpackedSize };
}

/** After so much a signal, which may be Ctrl-C, gets its turn. */
const SLICE = 64 << 20;

/** Without compression nothing is waited for, which for small files takes a fraction of the time. */
async function writePlain(
  entries: readonly CpioInput[],
  path: string,
  signal: AbortSignal | undefined,
  see: (chunk: Uint8Array) => void,
): Promise<void> {
  const fd = openSync(path, "wx");
  try {
    let written = 0;
    for (const chunk of packCpioSync(entries)) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
      see(chunk);
      checkAborted(signal);
      written += chunk.length;
      if (written < SLICE) continue;
      written = 0;
      await setImmediate();
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function meter(see: (chunk: Uint8Array) => void): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}

type ToData = (content: FileContent) => Extract<CpioInput, { type: "file" }>["data"];

/** The entries, and the bytes of all files. The first name of a file with hard links stands for all of them. */
function toInputs(
  nodes: PlacedNodes,
  data: ToData,
): { readonly entries: CpioInput[]; readonly total: number } {
  const firstNames = new Map<number, string | Uint8Array>();
  let total = 0;
  const entries = nodes.map(([path, node]): CpioInput => {
    const name = encodeName(path.slice(1));
    if (node.inode !== undefined) {
      const linkTo = firstNames.get(node.inode);
      if (linkTo !== undefined) return { type: "link", name, linkTo };
      firstNames.set(node.inode, name);
    }
    if (node.kind === "file") total += contentSize(node.content);
    return toInput(name, node, data);
  });
  return { entries, total };
}

function toInput(name: string | Uint8Array, node: TreeNode, data: ToData): CpioInput {
  const { uid, gid, mtime } = node;
  const common = { name, uid, gid, mtime };
  switch (node.kind) {
    case "file":
      return { type: "file", ...common, mode: node.mode, data: data(node.content) };
    case "link":
      return { type: "symlink", ...common, target: encodeName(node.to) };
    case "device":
      return { type: node.type, ...common, mode: node.mode, rdev: { major: node.major, minor: node.minor } };
    default:
      return { type: node.kind, ...common, mode: node.mode };
  }
}
