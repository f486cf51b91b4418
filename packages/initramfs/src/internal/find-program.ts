import { resolve as resolveHost } from "node:path";

import { DF_1_PIE, ElfError, openElf, readDynamic } from "@justenough/elf";

import { InitramfsError } from "../error.ts";
import { join } from "./paths.ts";
import { nearest } from "./suggest.ts";
import { type FileView, resolve, resolveFile } from "./view.ts";

/** Where programs are looked for; also the PATH that /init gives to the program. */
export const SEARCH_PATH = [
  "/usr/local/sbin",
  "/usr/local/bin",
  "/usr/sbin",
  "/usr/bin",
  "/sbin",
  "/bin",
] as const;

/** The path at which a program, or a library given by its path, is in the view: looked up like a shell would, or as it is given. */
export function findProgram(
  view: FileView,
  name: string,
  options: {
    readonly searchPath?: readonly string[] | undefined;
    readonly hostPaths?: boolean | undefined;
  } = {},
): string {
  const directories = options.searchPath ?? SEARCH_PATH;
  if (name === "") throw new InitramfsError("INITRAMFS_INVALID_OPTION", "The name of a program is empty");
  if (!name.includes("/")) {
    for (const directory of directories) {
      const path = join(directory, name);
      if (isExecutable(view, path)) return path;
    }
    const guess = nearest(name, names(view, directories));
    throw new InitramfsError(
      "INITRAMFS_NOT_FOUND",
      `There is no program "${name}" in ${directories.join(":")}`,
      { hint: guess === undefined ? "Install it, or give its path" : `Did you mean "${guess}"?` },
    );
  }
  const path = name.startsWith("/") ? name : options.hostPaths === true ? resolveHost(name) : undefined;
  if (path === undefined) {
    throw new InitramfsError("INITRAMFS_INVALID_OPTION", `The program "${name}" needs an absolute path`);
  }
  const found = resolve(view, path);
  if (found === undefined) {
    throw new InitramfsError("INITRAMFS_NOT_FOUND", `There is no program "${path}"`);
  }
  if (found.node.kind !== "file") {
    const what = found.node.kind === "other" ? found.node.what : `a ${found.node.kind}`;
    throw new InitramfsError("INITRAMFS_NOT_EXECUTABLE", `"${path}" is ${what}, not a program`);
  }
  if ((found.node.mode & 0o111) === 0 && !isLibrary(view, found.path, found.node.size)) {
    throw new InitramfsError("INITRAMFS_NOT_EXECUTABLE", `"${path}" is not executable`, {
      hint: `chmod +x ${path}`,
    });
  }
  return path;
}

/** A shared library, which nobody executes, and which mostly is not marked as if one could. */
function isLibrary(view: FileView, path: string, size: number): boolean {
  try {
    const elf = openElf({ size, read: (offset, length) => view.read(path, offset, length) });
    return elf.type === "shared" && ((readDynamic(elf)?.flags1 ?? DF_1_PIE) & DF_1_PIE) === 0;
  } catch (error) {
    if (error instanceof ElfError) return false;
    throw error;
  }
}

function isExecutable(view: FileView, path: string): boolean {
  const found = resolveFile(view, path);
  return found?.node.kind === "file" && (found.node.mode & 0o111) !== 0;
}

function* names(view: FileView, directories: readonly string[]): Generator<string> {
  for (const directory of directories) {
    const found = resolve(view, directory);
    if (found?.node.kind === "directory") yield* view.list(found.path);
  }
}
