import { createHash } from "node:crypto";
import { closeSync, createWriteStream, openSync, readSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

import { CpioError, type CpioInput, packCpio } from "@justenough/cpio";

import { type Compression, compressor } from "./compression.ts";
import { checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { readError } from "./internal/host-view.ts";
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
 * Writes a tree as a newc archive, compressed as asked. Owner and times are 0 and the order is the tree's, so
 * that the same files give the same bytes. The file appears complete or not at all.
 *
 * @throws {InitramfsError} if the disk is full, a file vanishes or changes its size, or on abort
 */
export async function writeInitramfs(
  tree: FileTree,
  options: { readonly output: string; readonly compression: Compression } & InitramfsContext,
): Promise<WrittenArchive> {
  const { output, signal } = options;
  checkAborted(signal);
  const entries = tree.entries().map(([path, node]) => toInput(path, node));
  const total = tree
    .entries()
    .reduce((sum, [, node]) => sum + (node.kind === "file" ? contentSize(node.content) : 0), 0);
  const hash = createHash("sha256");
  let unpackedSize = 0;
  let size = 0;
  const source = Readable.from(packCpio(entries), { objectMode: false, highWaterMark: 1 << 20 });
  const before = meter((chunk) => {
    unpackedSize += chunk.length;
    options.onProgress?.({ phase: "pack", done: Math.min(unpackedSize, total), total, unit: "bytes" });
  });
  const after = meter((chunk) => {
    size += chunk.length;
    hash.update(chunk);
  });
  await replaceFile(output, async (temporary) => {
    const sink = createWriteStream(temporary, { flush: true });
    const abort = signal === undefined ? {} : { signal };
    try {
      await pipeline([source, before, ...compressor(options.compression), after, sink], abort);
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

function meter(see: (chunk: Uint8Array) => void): Transform {
  return new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      see(chunk);
      done(null, chunk);
    },
  });
}

function toInput(path: string, node: TreeNode): CpioInput {
  const name = path.slice(1);
  switch (node.kind) {
    case "file":
      return { type: "file", name, mode: node.mode, data: toData(node.content) };
    case "directory":
      return { type: "directory", name, mode: node.mode };
    case "link":
      return { type: "symlink", name, target: node.to };
    case "device":
      return { type: node.type, name, mode: node.mode, rdev: { major: node.major, minor: node.minor } };
    default:
      return { type: "fifo", name, mode: node.mode };
  }
}

const CHUNK = 1 << 20;

function toData(content: FileContent): Extract<CpioInput, { type: "file" }>["data"] {
  if (content.kind === "bytes") return content.bytes;
  const { path, size } = content;
  return {
    size,
    *open() {
      let fd: number | undefined;
      try {
        fd = openSync(path, "r");
        // One byte more than promised is asked for, so that a file that has grown is noticed too.
        for (let left = size + 1; left > 0;) {
          const chunk = new Uint8Array(Math.min(CHUNK, left));
          const got = readSync(fd, chunk);
          if (got === 0) break;
          left -= got;
          yield chunk.subarray(0, got);
        }
      } catch (error) {
        throw readError(path, error);
      } finally {
        if (fd !== undefined) closeSync(fd);
      }
    },
  };
}
