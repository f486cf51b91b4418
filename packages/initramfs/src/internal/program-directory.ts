import { InitramfsError } from "../error.ts";
import { type ElfFiles, elfFiles } from "./elf-files.ts";
import { parseShebang, SHEBANG_BYTES } from "./shebang.ts";
import { type FileView, resolve } from "./view.ts";
import { filesBelow } from "./walk.ts";

/** A directory that is taken with what the programs and libraries in it need. */
export interface ProgramDirectory {
  /** Without links in it. */
  readonly path: string;
  /** Programs, scripts and libraries. */
  readonly objects: readonly string[];
  /** All other files, and links. */
  readonly others: readonly string[];
}

/** What is in a directory; undefined if the path leads to something else. */
export function programDirectory(view: FileView, path: string): ProgramDirectory | undefined {
  const found = path.startsWith("/") ? resolve(view, path) : undefined;
  if (found?.node.kind !== "directory") return undefined;
  const elfs = elfFiles(view);
  const objects: string[] = [];
  const others: string[] = [];
  for (const file of filesBelow(view, found.path)) (isObject(view, elfs, file) ? objects : others).push(file);
  return { path: found.path, objects, others };
}

function isObject(view: FileView, elfs: ElfFiles, path: string): boolean {
  const node = view.lookup(path);
  if (node?.kind !== "file") return false;
  try {
    const elf = elfs.read(path, node.size);
    // Static programs and object files need nothing.
    if (elf !== undefined) return elf.dynamic !== undefined || elf.interpreter !== undefined;
  } catch (error) {
    if (error instanceof InitramfsError && error.code === "INITRAMFS_FORMAT") return false;
    throw error;
  }
  return (node.mode & 0o111) !== 0 && parseShebang(view.read(path, 0, SHEBANG_BYTES)) !== undefined;
}
