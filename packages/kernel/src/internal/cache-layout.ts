/** Where things are in the cache, and which locks tell that they are in use. */
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { lockHolder } from "./lock.ts";

/** Kinds of things in the cache; the name is that of their directory. */
export type CacheKind =
  | "sources"
  | "git"
  | "objects"
  | "artifacts"
  | "ccache"
  | "modules"
  | "distro"
  | "downloads"
  | "configs"
  | "answers";

/** Which kinds are directories; the others are single files, which may go at any time. */
const DIRECTORIES: readonly CacheKind[] = [
  "sources",
  "git",
  "objects",
  "artifacts",
  "modules",
  "ccache",
  "distro",
];

export const CACHE_KINDS: readonly CacheKind[] = [...DIRECTORIES, "downloads", "configs", "answers"];

/** The paths of all things of a kind: no locks, no notes of a few bytes that name the things. */
export async function cachedPaths(cache: string, kind: CacheKind): Promise<string[]> {
  const found = await entries(join(cache, kind));
  if (kind === "answers") found.push(...(await entries(join(cache, kind, "trees"))));
  const directories = DIRECTORIES.includes(kind);
  return found
    .filter(({ path, directory }) => directory === directories && !basename(path).startsWith("."))
    .map(({ path }) => path)
    .filter((path) => !/\.lock(\.|$)/.test(path));
}

/** The lock that its makers hold; files have none. */
export function lockOf(cache: string, kind: CacheKind, path: string): string | undefined {
  if (kind === "artifacts") return join(cache, "locks", basename(path));
  // What is kept of trials, copies that are being made, and further directories belong to the first directory of the trials.
  if (kind === "objects") return `${path.replace(/(\.kept|\.\d+)?(\.new|\.old)?$/, "")}.lock`;
  return DIRECTORIES.includes(kind) ? `${path}.lock` : undefined;
}

/** A process that may be using something: the holder of its lock, or of those under which it is read. */
export async function userOf(cache: string, kind: CacheKind, path: string): Promise<number | undefined> {
  const lock = lockOf(cache, kind, path);
  const holder = lock === undefined ? undefined : await lockHolder(lock);
  if (holder !== undefined) return holder;
  // A tree is read while something is configured or built, a download or a store of git while something is unpacked.
  if (kind === "sources") return anyHolder(cache, ["locks", "conf", "objects"]);
  return kind === "downloads" || kind === "git" ? anyHolder(cache, ["sources", "distro"]) : undefined;
}

/** What interrupted processes left: directories that they were filling, and claims for locks. */
export async function leftovers(cache: string): Promise<string[]> {
  const found: string[] = [];
  for (const kind of [...CACHE_KINDS, "locks", "conf", "keys", "answers/trees"]) {
    for (const { path } of await entries(join(cache, kind))) {
      // Names as temporaryName() in store.ts makes them, and those of claims in lock.ts.
      const pid = /^\..+\.(\d+)\.[0-9a-f]{8}$/.exec(basename(path))?.[1];
      const dead = pid !== undefined && isGone(Number(pid));
      const claim = /\.[0-9a-f]{16}$/.test(basename(path)) && /\.lock\.|\/locks\//.test(path);
      if (dead || (claim && (await lockHolder(path)) === undefined)) found.push(path);
    }
  }
  return found;
}

async function anyHolder(cache: string, kinds: readonly string[]): Promise<number | undefined> {
  for (const kind of kinds) {
    for (const { path, directory } of await entries(join(cache, kind))) {
      if (directory || (kind !== "locks" && !path.endsWith(".lock"))) continue;
      const holder = await lockHolder(path);
      if (holder !== undefined) return holder;
    }
  }
  return undefined;
}

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

async function entries(directory: string): Promise<{ readonly path: string; readonly directory: boolean }[]> {
  const found = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return found.map((entry) => ({ path: join(directory, entry.name), directory: entry.isDirectory() }));
}
