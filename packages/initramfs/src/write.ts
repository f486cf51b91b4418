import { createHash } from "node:crypto";
import { closeSync, createWriteStream, openSync, readSync } from "node:fs";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

import { CpioError, type CpioInput, packCpio } from "@justenough/cpio";

import { type Compression, compressor } from "./compression.ts";
import { checkAborted, type InitramfsContext } from "./context.ts";
import { InitramfsError } from "./error.ts";
import { readError } from "./internal/host-view.ts";
import { encodeName } from "./internal/names.ts";
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
export async function writeInitramfs(
  tree: FileTree,
  options: { readonly output: string; readonly compression: Compression } & InitramfsContext,
): Promise<WrittenArchive> {
  const { output, signal } = options;
  checkAborted(signal);
  const { entries, total } = toInputs(tree);
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

/** The entries, and the bytes of all files. The first name of a file with hard links stands for all of them. */
function toInputs(tree: FileTree): { readonly entries: CpioInput[]; readonly total: number } {
  const firstNames = new Map<number, string | Uint8Array>();
  let total = 0;
  const entries = tree.entries().map(([path, node]): CpioInput => {
    const name = encodeName(path.slice(1));
    if (node.inode !== undefined) {
      const linkTo = firstNames.get(node.inode);
      if (linkTo !== undefined) return { type: "link", name, linkTo };
      firstNames.set(node.inode, name);
    }
    if (node.kind === "file") total += contentSize(node.content);
    return toInput(name, node);
  });
  // As in archives of `find . | cpio -o`: the kernel takes over its mode and owner.
  if (tree.root !== undefined) entries.unshift(toInput(".", tree.root));
  return { entries, total };
}

function toInput(name: string | Uint8Array, node: TreeNode): CpioInput {
  const { uid, gid, mtime } = node;
  const common = { name, uid, gid, mtime };
  switch (node.kind) {
    case "file":
      return { type: "file", ...common, mode: node.mode, data: toData(node.content) };
    case "link":
      return { type: "symlink", ...common, target: encodeName(node.to) };
    case "device":
      return { type: node.type, ...common, mode: node.mode, rdev: { major: node.major, minor: node.minor } };
    default:
      return { type: node.kind, ...common, mode: node.mode };
  }
}

const CHUNK = 1 << 20;

function toData(content: FileContent): Extract<CpioInput, { type: "file" }>["data"] {
  if (content.kind === "bytes") return content.bytes;
  const { path, size, offset } = content;
  return {
    size,
    *open() {
      let fd: number | undefined;
      try {
        fd = openSync(encodeName(path), "r");
        // One byte more than promised is asked for, so that a file that has grown is noticed too.
        const wanted = offset === undefined ? size + 1 : size;
        for (let done = 0; done < wanted;) {
          const chunk = new Uint8Array(Math.min(CHUNK, wanted - done));
          const got = readSync(fd, chunk, 0, chunk.length, (offset ?? 0) + done);
          if (got === 0) break;
          done += got;
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
