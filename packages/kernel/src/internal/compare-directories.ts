import { open, readdir, readlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { throwIfAborted } from "./process.ts";

/** The files of two directories, compared. */
export interface ComparedDirectories {
  readonly files: number;
  /** Paths of those that differ or are in one directory only, sorted. */
  readonly differing: readonly string[];
}

/** Compares the files of two directories byte by byte, and what links say. */
export async function compareDirectories(
  a: string,
  b: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    /** Which paths to look at. Default: all. */
    readonly only?: ((path: string) => boolean) | undefined;
  } = {},
): Promise<ComparedDirectories> {
  const [here, there] = [await filesOf(a), await filesOf(b)];
  const paths = [...new Set([...here.keys(), ...there.keys()])].filter(
    (path) => options.only?.(path) ?? true,
  );
  const differing: string[] = [];
  for (const path of paths.sort()) {
    throwIfAborted(options.signal);
    const [one, other] = [join(a, path), join(b, path)];
    const same =
      here.get(path) === there.get(path) &&
      (here.get(path) === "link"
        ? (await readlink(one)) === (await readlink(other))
        : await sameBytes(one, other));
    if (!same) differing.push(path);
  }
  return { files: paths.length, differing };
}

async function filesOf(directory: string): Promise<ReadonlyMap<string, "link" | "file">> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  return new Map(
    files.map((entry) => [
      join(entry.parentPath, entry.name).slice(directory.length + 1),
      entry.isSymbolicLink() ? "link" : "file",
    ]),
  );
}

const CHUNK = 1 << 20;

// A vmlinux with debug information is larger than what should be in memory.
async function sameBytes(a: string, b: string): Promise<boolean> {
  await using one = await open(a);
  await using other = await open(b);
  if ((await one.stat()).size !== (await other.stat()).size) return false;
  for (let at = 0; ; at += CHUNK) {
    const [left, right] = [await chunk(one, at), await chunk(other, at)];
    if (!left.equals(right)) return false;
    if (left.length < CHUNK) return true;
  }
}

async function chunk(file: FileHandle, position: number): Promise<Buffer> {
  const bytes = Buffer.alloc(CHUNK);
  let length = 0;
  while (length < CHUNK) {
    const { bytesRead } = await file.read(bytes, length, CHUNK - length, position + length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}
