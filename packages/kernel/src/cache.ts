import { Readable } from "node:stream";
import { rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { CACHE_KINDS, cachedPaths, leftovers, lockOf, userOf } from "./internal/cache-layout.ts";
import type { CacheKind } from "./internal/cache-layout.ts";
import { withFreeLock } from "./internal/lock.ts";
import { runOrThrow, throwIfAborted } from "./internal/process.ts";

/** Something in the cache that can be removed by itself. */
export interface CacheEntry {
  readonly kind: CacheKind;
  readonly path: string;
  /** On the disk. */
  readonly bytes: number;
  /** When it was made or last of use. */
  readonly used: Date;
  /** A process that may be using it now. */
  readonly user: number | undefined;
}

/** How small the cache is to be. */
export interface TrimOptions extends Pick<KernelContext, "cacheDir" | "signal"> {
  /** The least recently used go until no more than that is left. Default: no limit. */
  readonly maxBytes?: number | undefined;
  /** What was not used for that long goes, in milliseconds. Default: no limit. */
  readonly maxAge?: number | undefined;
  /** Only find out what would go. */
  readonly dryRun?: boolean | undefined;
}

/** What trimming did. */
export interface TrimmedCache {
  readonly removed: readonly CacheEntry[];
  /** Would have been removed, were they not in use. */
  readonly inUse: readonly CacheEntry[];
  /** Paths that interrupted processes had left, removed too. */
  readonly leftovers: readonly string[];
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/**
 * What the cache holds: unpacked sources, stores of git, build directories, kernels, downloads, configurations, answers
 * of compiler probes; the least recently used first. Sizes are those on the disk.
 *
 * @example
 * ```ts
 * import { listCache } from "@justenough/kernel";
 * const entries = await listCache({ cacheDir: "/tmp/no-cache-yet" });
 * console.log(entries.reduce((sum, { bytes }) => sum + bytes, 0)); // 0
 * ```
 */
export async function listCache(
  context: Pick<KernelContext, "cacheDir" | "signal"> = {},
): Promise<CacheEntry[]> {
  const cache = kernelCacheDir(context);
  const found = await Promise.all(
    CACHE_KINDS.map(async (kind) => (await cachedPaths(cache, kind)).map((path) => ({ kind, path }))),
  );
  const things = found.flat();
  const sizes = await diskUsage(
    things.map(({ path }) => path),
    context.signal,
  );
  const listed = await Promise.all(
    things.map(async ({ kind, path }): Promise<CacheEntry[]> => {
      const facts = await stat(path).catch(() => undefined);
      if (facts === undefined) return [];
      const user = await userOf(cache, kind, path);
      return [{ kind, path, bytes: sizes.get(path) ?? 0, used: facts.mtime, user }];
    }),
  );
  return listed.flat().sort((a, b) => a.used.getTime() - b.used.getTime() || (a.path < b.path ? -1 : 1));
}

/**
 * Makes the cache smaller. What a running process uses stays; whatever else goes is made again when it is wanted, so
 * that nothing but time is lost. Without limits only what interrupted processes left is removed.
 *
 * @throws KernelError KERNEL_ABORTED.
 * @example
 * ```ts
 * import { trimCache } from "@justenough/kernel";
 * const { removed } = await trimCache({ cacheDir: "/tmp/no-cache-yet", maxBytes: 10e9, maxAge: 30 * 86_400e3 });
 * console.log(removed.length); // 0
 * ```
 */
export async function trimCache(options: TrimOptions = {}): Promise<TrimmedCache> {
  const cache = kernelCacheDir(options);
  const left = await leftovers(cache);
  if (options.dryRun !== true) for (const path of left) await rm(path, { recursive: true, force: true });
  const entries = await listCache(options);
  const bytesBefore = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  const before = Date.now() - (options.maxAge ?? Infinity);
  const removed: CacheEntry[] = [];
  const inUse: CacheEntry[] = [];
  let bytes = bytesBefore;
  for (const entry of entries) {
    const old = entry.used.getTime() < before;
    if (!old && bytes <= (options.maxBytes ?? Infinity)) continue;
    throwIfAborted(options.signal);
    const gone = entry.user === undefined && (options.dryRun === true || (await remove(cache, entry)));
    (gone ? removed : inUse).push(entry);
    if (gone) bytes -= entry.bytes;
  }
  return { removed, inUse, leftovers: left, bytesBefore, bytesAfter: bytes };
}

/** Removes an entry, or returns false when somebody began to use it since it was listed. */
async function remove(cache: string, { kind, path }: CacheEntry): Promise<boolean> {
  const lock = lockOf(cache, kind, path);
  if (lock === undefined) {
    await rm(path, { force: true });
    return true;
  }
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.00000000`);
  const gone = await withFreeLock(lock, async () => {
    // Moved away at once: nobody ever finds half of it. Who took a lock before that looks for it after, and makes it
    // anew; who had taken one earlier is seen now, and gets it back.
    await rename(path, aside);
    const other = kind === "sources" ? await userOf(cache, "sources", aside) : undefined;
    if (other === undefined) return true;
    await rename(aside, path).catch(() => {});
    return false;
  });
  await rm(aside, { recursive: true, force: true });
  if (gone === true && kind === "sources") await rm(`${path}.json`, { force: true });
  return gone === true;
}

// du counts 100,000 files of a kernel's tree in a fraction of the time that it takes here. Paths go by standard input:
// there may be more than a command line holds.
async function diskUsage(
  paths: readonly string[],
  signal: AbortSignal | undefined,
): Promise<Map<string, number>> {
  if (paths.length === 0) return new Map();
  const stdin = Readable.from([paths.map((path) => `${path}\0`).join("")]);
  const command = { file: "du", args: ["-s", "-B1", "--files0-from=-"] };
  const { stdout } = await runOrThrow(command, { what: "measure the cache", signal, stdin });
  return new Map(
    stdout.split("\n").flatMap((line): [string, number][] => {
      const [, bytes, path] = /^(\d+)\t(.*)$/.exec(line) ?? [];
      return path === undefined ? [] : [[path, Number(bytes)]];
    }),
  );
}
