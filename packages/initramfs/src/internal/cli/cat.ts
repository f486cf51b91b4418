import { findKernelFile, listKernelTree } from "@justenough/cpio";

import { InitramfsError } from "../../error.ts";
import { readImage } from "../../image/read-image.ts";
import { encodeName } from "../names.ts";
import { nearest } from "../suggest.ts";
import { type CommandIo, exactly, parse } from "./command-line.ts";

/** `initramfs cat`: the file that a program in the guest would read, links followed. */
export function catCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const { positionals } = parse(args, {});
  const [archive, path] = exactly(positionals, ["ARCHIVE", "PATH"]) as [string, string];
  const { tree } = readImage(archive);
  const inode = findKernelFile(tree, encodeName(path));
  if (inode === undefined) {
    const names = [...listKernelTree(tree)].map((entry) => entry.path);
    const guess = nearest(path.replace(/^\/+/, ""), names);
    const hint = guess === undefined ? undefined : `Did you mean "${guess}"?`;
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no "${path}" in "${archive}"`, { hint });
  }
  if (inode.type !== "file") {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `"${path}" in "${archive}" is a ${inode.type}, no file`);
  }
  for (const chunk of inode.data) io.stdout.write(chunk);
  return Promise.resolve(0);
}
