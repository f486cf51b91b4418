import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Writes a file beside its place and renames it there, so that no reader ever sees half of it. */
export async function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const beside = temporaryName(path);
  try {
    await writeFile(beside, content);
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

/** Reads a JSON file of our own; a missing or damaged one is undefined, since caches may be deleted at any time. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}

export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(value, null, 2)}\n`);
}

/**
 * Fills a directory beside its place and renames it there. When another process was faster its directory stays.
 * Nothing is left when `fill` fails.
 */
export async function makeDirectoryAtomic(
  path: string,
  fill: (directory: string) => Promise<void>,
): Promise<void> {
  const beside = temporaryName(path);
  await mkdir(beside, { recursive: true });
  try {
    await fill(beside);
    await rename(beside, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** Makes an empty directory beside a path; if its process is killed it is known for a leftover. */
export async function makeScratch(path: string): Promise<string> {
  const scratch = temporaryName(path);
  await mkdir(scratch, { recursive: true });
  return scratch;
}

/** Removes what {@link makeDirectoryAtomic} could not when its process was killed. Only for who holds the path's lock. */
export async function removeStale(path: string): Promise<void> {
  const begin = `.${basename(path)}.`;
  const names = await readdir(dirname(path)).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(begin) || !/^\d+\.[0-9a-f]{8}$/.test(name.slice(begin.length))) continue;
    // A program that the killed one had started may write its last file just now.
    await rm(join(dirname(path), name), { recursive: true, force: true, maxRetries: 5 }).catch(() => {});
  }
}

/** Notes that something in the cache was of use now: what was not for the longest time is removed first. */
export async function markUsed(path: string): Promise<void> {
  const now = new Date();
  // It may have been removed, or belong to somebody else; neither matters.
  await utimes(path, now, now).catch(() => {});
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString("hex")}`);
}
