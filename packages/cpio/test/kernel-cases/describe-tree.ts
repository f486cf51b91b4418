/** A tree as lines that a guest can print too. */
import { crc32 } from "node:zlib";
import { type KernelInode, type KernelTree, listKernelTree } from "../../src/index.ts";

/** What is hashed of a file: some claim 4 GiB that are not there. */
export const HASHED_BYTES = 256 * 1024;

const LETTERS = {
  file: "f",
  directory: "d",
  symlink: "l",
  character: "c",
  block: "b",
  fifo: "p",
  socket: "s",
} as const;

/** Bytes as a word: whatever is no plain character becomes %xx. */
export function word(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replaceAll(/[^\w./-]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

function hashOf(inode: KernelInode): string {
  let sum = 0;
  let left = Math.min(inode.size, HASHED_BYTES);
  for (const chunk of inode.data) {
    const part = chunk.subarray(0, left);
    sum = crc32(part, sum);
    left -= part.length;
  }
  return crc32(Buffer.alloc(left), sum).toString(16);
}

/**
 * One line a name: path, type, mode, owner, group, names, size, what is inside, time, and the number of the file,
 * counted in the order of the paths. A time that the unpacker does not set is a dash.
 */
export function describeTree(tree: KernelTree): string[] {
  const numbers = new Map<number, number>();
  const lines: string[] = [];
  for (const { pathBytes, inode } of listKernelTree(tree)) {
    const number = numbers.get(inode.id) ?? numbers.size;
    numbers.set(inode.id, number);
    const content =
      inode.type === "file"
        ? hashOf(inode)
        : inode.type === "symlink"
          ? `=${word(inode.targetBytes as Uint8Array)}`
          : inode.rdev === undefined
            ? "-"
            : `${inode.rdev.major}:${inode.rdev.minor}`;
    const fields = [
      `/${word(pathBytes)}`,
      LETTERS[inode.type],
      (inode.mode & 0o7777).toString(8),
      inode.uid,
      inode.gid,
      inode.nlink,
      inode.size,
      content,
      inode.mtime ?? "-",
      number,
    ];
    lines.push(fields.join(" "));
  }
  return lines;
}

/** Lines in the order of their paths, with files numbered in that order and without times that nobody knows. */
export function comparable(lines: readonly string[], known: ReadonlySet<string>): string[] {
  const numbers = new Map<string, number>();
  return lines
    .map((line) => line.split(" "))
    .sort(([one = ""], [other = ""]) => (one < other ? -1 : 1))
    .map((fields) => {
      const file = fields.at(-1) ?? "";
      const number = numbers.get(file) ?? numbers.size;
      numbers.set(file, number);
      const time = known.has(fields[0] ?? "") ? fields.at(-2) : "-";
      return [...fields.slice(0, -2), time, number].join(" ");
    });
}

/** The names whose times the unpacker sets. */
export function timedNames(lines: readonly string[]): Set<string> {
  return new Set(lines.filter((line) => !/ - \d+$/.test(line)).map((line) => line.split(" ")[0] as string));
}
