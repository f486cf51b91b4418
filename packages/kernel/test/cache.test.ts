import { access, mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { configureKernel, kernelCacheDir, listCache, trimCache } from "../src/index.ts";
import type { CacheEntry, CacheKind } from "../src/index.ts";
import { withLock } from "../src/internal/lock.ts";
import { kbuild } from "./support/kbuild.ts";
import { names, realTree, scratchDirectory } from "./support/real-source.ts";

const DAY = 86_400e3;

/** A cache with one thing of each kind, 100 kB each, used 70, 60 … 10 days ago in the order of `ORDER`. */
async function cacheOfAges(): Promise<{ cacheDir: string; at: (kind: CacheKind) => string }> {
  const cacheDir = await scratchDirectory();
  const cache = kernelCacheDir({ cacheDir });
  const at = (kind: CacheKind): string => join(cache, kind, kind === "configs" ? "a.config" : `a-${kind}`);
  for (const [index, kind] of ORDER.entries()) {
    const directory = ["sources", "objects", "artifacts", "distro"].includes(kind);
    await mkdir(directory ? at(kind) : join(at(kind), ".."), { recursive: true });
    await writeFile(directory ? join(at(kind), "content") : at(kind), Buffer.alloc(100_000, 1));
    const then = new Date(Date.now() - (70 - 10 * index) * DAY);
    await utimes(at(kind), then, then);
  }
  await writeFile(`${at("sources")}.json`, "{}");
  return { cacheDir, at };
}

const ORDER: readonly CacheKind[] = [
  "sources",
  "downloads",
  "objects",
  "artifacts",
  "distro",
  "configs",
  "answers",
];

const kinds = (entries: readonly CacheEntry[]): CacheKind[] => entries.map(({ kind }) => kind);

test("everything is listed with its size and last use, the oldest first", async () => {
  const { cacheDir } = await cacheOfAges();
  const entries = await listCache({ cacheDir });
  expect(kinds(entries)).toEqual(ORDER);
  for (const [index, { bytes, used, user }] of entries.entries()) {
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(120_000);
    expect(Math.round((Date.now() - used.getTime()) / DAY)).toBe(70 - 10 * index);
    expect(user).toBeUndefined();
  }
  const { out } = await kbuild("cache", "ls", "--cache-dir", cacheDir);
  expect(out).toMatch(/^ *1\d\d kB {2}\d{4}-\d\d-\d\d {2}objects {4}a-objects$/m);
  expect(out).toMatch(/^ *\d+ kB in all$/m);
});

test("what is old goes, with the notes about it, and nothing else", async () => {
  const { cacheDir, at } = await cacheOfAges();
  const planned = await trimCache({ cacheDir, maxAge: 45 * DAY, dryRun: true });
  expect(kinds(planned.removed)).toEqual(ORDER.slice(0, 3));
  expect(kinds(await listCache({ cacheDir }))).toEqual(ORDER);
  const { removed, bytesBefore, bytesAfter } = await trimCache({ cacheDir, maxAge: 45 * DAY });
  expect(removed).toEqual(planned.removed);
  expect(bytesBefore - bytesAfter).toBe(removed.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(kinds(await listCache({ cacheDir }))).toEqual(ORDER.slice(3));
  expect(await names(join(at("sources"), ".."))).toEqual([]);
  await access(join(at("artifacts"), "content"));
});

test("a size is kept by removing what was used the longest ago", async () => {
  const { cacheDir } = await cacheOfAges();
  const { out, status } = await kbuild("cache", "gc", "--max-size", "350k", "--cache-dir", cacheDir);
  expect(status).toBe(0);
  expect(out.match(/^removed /gm)).toHaveLength(4);
  expect(kinds(await listCache({ cacheDir }))).toEqual(ORDER.slice(4));
  const json = JSON.parse((await kbuild("cache", "gc", "--cache-dir", cacheDir, "--json")).out) as object;
  expect(json).toMatchObject({ removed: [], inUse: [], leftovers: [] });
});

test("what a running process holds stays", async () => {
  const { cacheDir, at } = await cacheOfAges();
  const cache = kernelCacheDir({ cacheDir });
  const all = { cacheDir, maxBytes: 0 };
  // A build in the directory of objects: the tree that it reads stays too.
  await withLock(`${at("objects")}.lock`, {}, async () => {
    const { inUse } = await trimCache({ ...all, dryRun: true });
    expect(kinds(inUse)).toEqual(["sources", "objects"]);
    expect(inUse.map(({ user }) => user)).toEqual([process.pid, process.pid]);
  });
  await withLock(join(cache, "locks", basename(at("artifacts"))), {}, async () => {
    expect(kinds((await trimCache({ ...all, dryRun: true })).inUse)).toEqual(["sources", "artifacts"]);
  });
  await withLock(`${at("distro")}.lock`, {}, async () => {
    const { inUse } = await trimCache(all);
    expect(kinds(inUse)).toEqual(["downloads", "distro"]);
  });
  expect(kinds(await listCache({ cacheDir }))).toEqual(["downloads", "distro"]);
  await access(join(at("distro"), "content"));
});

test("what trials keep, and copies that they make, stay as long as they go on", async () => {
  const cacheDir = await scratchDirectory();
  const trials = join(kernelCacheDir({ cacheDir }), "objects", "trials-0123");
  for (const end of ["", ".kept", ".kept.new", ".kept.old", ".new", ".2"])
    await mkdir(`${trials}${end}`, { recursive: true });
  await withLock(`${trials}.lock`, {}, async () => {
    const { inUse, removed } = await trimCache({ cacheDir, maxBytes: 0 });
    expect([inUse.length, removed.length]).toEqual([6, 0]);
  });
  expect((await trimCache({ cacheDir, maxBytes: 0 })).removed).toHaveLength(6);
});

test("what interrupted runs left goes, what is being made stays", async () => {
  const { cacheDir } = await cacheOfAges();
  const sources = join(kernelCacheDir({ cacheDir }), "sources");
  // Process numbers end below 2^22 (proc(5), pid_max).
  await mkdir(join(sources, ".linux-6.12.4194305.0123abcd"));
  await mkdir(join(sources, `.linux-6.12.${process.pid}.0123abcd`));
  await writeFile(
    join(sources, "linux-6.12.lock.0123456789abcdef"),
    JSON.stringify({ pid: 4_194_305, started: "1" }),
  );
  const { leftovers } = await trimCache({ cacheDir });
  expect(leftovers.map((path) => basename(path)).sort()).toEqual([
    ".linux-6.12.4194305.0123abcd",
    "linux-6.12.lock.0123456789abcdef",
  ]);
  const left = await readdir(sources);
  expect(left.sort()).toEqual([`.linux-6.12.${process.pid}.0123abcd`, "a-sources", "a-sources.json"]);
});

test("an emptied cache gives the same again, and use is noted", { timeout: 120_000 }, async () => {
  const cacheDir = await scratchDirectory();
  const wanted = { source: { kind: "directory", path: await realTree() }, features: ["base"] } as const;
  const before = await configureKernel(wanted);
  const kept = join(kernelCacheDir({ cacheDir }), "configs", `${before.id}.config`);
  await mkdir(join(kept, ".."), { recursive: true });
  await writeFile(kept, before.text);
  const then = new Date(Date.now() - 40 * DAY);
  await utimes(kept, then, then);
  expect(await configureKernel({ ...wanted, cacheDir })).toEqual(before);
  expect((await trimCache({ cacheDir, maxAge: 30 * DAY })).removed).toEqual([]);
  expect((await trimCache({ cacheDir, maxBytes: 0 })).removed.map(({ path }) => path)).toEqual([kept]);
  expect(await configureKernel({ ...wanted, cacheDir })).toEqual(before);
});

test("wrong limits are told", async () => {
  const cacheDir = await scratchDirectory();
  expect(await kbuild("cache", "gc", "--max-size", "ten", "--cache-dir", cacheDir)).toMatchObject({
    status: 2,
    err: 'error: "--max-size ten" is not understood\nhint: It is something like 500M or 10G\n',
  });
  expect(await kbuild("cache", "gc", "--older-than", "30", "--cache-dir", cacheDir)).toMatchObject({
    status: 2,
  });
  expect(await kbuild("cache", "gx", "--cache-dir", cacheDir)).toMatchObject({ status: 2 });
  expect(await kbuild("cache")).toMatchObject({ status: 2 });
  expect((await kbuild("cache", "--help")).out).toContain("--max-size");
  expect((await kbuild("cache", "ls", "--cache-dir", cacheDir)).out).toBe("    0 kB in all\n");
});
