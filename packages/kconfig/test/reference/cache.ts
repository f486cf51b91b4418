/** What the tests keep between runs: trees, compiled references, recorded answers. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";

export const cacheDirectory: string = join(
  process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
  "justenough/kconfig-test",
);

/** A directory named after what it is made of; `make` fills it once, beside, so that it is there whole or not. */
export function keptDirectory(
  name: string,
  inputs: readonly string[],
  make: (directory: string) => void,
): string {
  const hash = createHash("sha256").update(JSON.stringify(inputs)).digest("hex").slice(0, 16);
  const path = join(cacheDirectory, `${name}-${hash}`);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const beside = mkdtempSync(`${path}.`);
  try {
    make(beside);
    if (!existsSync(path)) renameSync(beside, path);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
  return path;
}

/** Where the answers of a tree's shell commands for an architecture are kept. */
export function answersDirectory(tree: string, arch: string): string {
  const hash = createHash("sha256").update(tree).digest("hex").slice(0, 8);
  return join(cacheDirectory, "answers", `${basename(tree)}-${hash}`, arch);
}
