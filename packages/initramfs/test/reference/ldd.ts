/** What the dynamic loader itself says of this machine's files, and which of them there are. */
import { execFile } from "node:child_process";
import { closeSync, fstatSync, openSync, readSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { ElfError, openElf, readDynamic } from "@justenough/elf";

import type { ClosureEntry } from "../../src/index.ts";

const run = promisify(execFile);

export const DIRECTORIES = ["/usr/bin", "/usr/sbin", "/usr/lib/x86_64-linux-gnu"];

/** Every ELF file below directories that names libraries, each once, by its true path. */
export function dynamicFiles(directories: readonly string[] = DIRECTORIES): string[] {
  const found = new Set<string>();
  for (const directory of directories) {
    for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = realpathSync(join(entry.parentPath, entry.name));
      if (!found.has(path) && namesLibraries(path)) found.add(path);
    }
  }
  return [...found].sort();
}

function namesLibraries(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const source = {
      size: fstatSync(fd).size,
      read: (offset: number, length: number): Uint8Array => {
        const bytes = new Uint8Array(length);
        readSync(fd, bytes, 0, length, offset);
        return bytes;
      },
    };
    return (readDynamic(openElf(source))?.needed.length ?? 0) > 0;
  } catch (error) {
    if (error instanceof ElfError) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The same of ours. */
export function librariesOf(entries: readonly ClosureEntry[]): string[] {
  return entries
    .filter(({ role }) => role === "library" || role === "loader")
    .map(({ path }) => path)
    .sort();
}

/**
 * What ldd names for each file, sorted; undefined where it can say nothing or something is missing. The paths are to be
 * true ones: the kernel tells the loader that one, while ldd would take $ORIGIN from the path as given.
 */
export async function ldd(paths: readonly string[]): Promise<Map<string, readonly string[] | undefined>> {
  const result = new Map<string, readonly string[] | undefined>();
  if (paths.length === 0) return result;
  // With one file only, ldd leaves the headings out; its status is that of the worst file.
  const child = await run("sh", ["-c", 'ldd "$@" /bin/true 2>&1 || :', "sh", ...paths], {
    env: { ...process.env, LC_ALL: "C" },
    maxBuffer: 1 << 28,
  });
  const sections = child.stdout.split(/^(\/\S+):\n/m);
  for (let index = 1; index < sections.length; index += 2) {
    const lines = (sections[index + 1] as string).split("\n");
    const handled =
      lines.some((line) => / \(0x/.test(line)) &&
      !lines.some((line) => / not found|error|warning/.test(line));
    const names = lines
      .map((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1])
      .filter((name) => name !== undefined);
    // The loader leaves ".." in a path as it stands.
    result.set(sections[index] as string, handled ? names.map((name) => join(name)).sort() : undefined);
  }
  return result;
}
