import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import type { KernelProgress } from "../src/index.ts";
import { sha256File } from "../src/internal/download.ts";
import { startMirror } from "./support/mirror.ts";
import { names, realTarball, scratchDirectory, smallTarball } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
let scratch: string;
let small: string;
let smallSum: string;

beforeAll(async () => {
  scratch = await scratchDirectory();
  small = await smallTarball(scratch, "linux-6.12.200");
  smallSum = await sha256File(small);
}, 300_000);

let caches = 0;
function newCache(): string {
  return join(scratch, `cache-${caches++}`);
}

test("a release comes from a mirror's directory, checked by its published sum, and is unpacked once", async () => {
  const mirror = await startMirror({
    "/pub/v6.x/sha256sums.asc": `-----BEGIN PGP SIGNED MESSAGE-----\n\n${smallSum}  linux-6.12.200.tar.xz\n${"0".repeat(64)}  linux-6.12.2000.tar.xz\n`,
    "/pub/v6.x/linux-6.12.200.tar.xz": { path: small },
  });
  const context = { cacheDir: newCache() };
  const wanted = { kind: "kernel.org", version: "6.12.200", mirror: `${mirror.url}/` } as const;
  const source = await resolveSource(wanted, context);
  const tree = await fetchSource(source, context);
  expect(await readFile(join(tree, "Makefile"), "utf8")).toContain("PATCHLEVEL = 12");
  expect(source.id).toBe(`linux-6.12.200-${smallSum.slice(0, 16)}`);
  expect(source.provenance).toMatchObject({ kind: "kernel.org", sha256: smallSum });
  // All is known now: nothing is asked again.
  expect(await fetchSource(await resolveSource(wanted, context), context)).toBe(tree);
  expect(mirror.requests).toEqual(["GET /pub/v6.x/sha256sums.asc", "GET /pub/v6.x/linux-6.12.200.tar.xz"]);
});

test("a file with another sum than the published one is refused and removed", async () => {
  const mirror = await startMirror({
    "/pub/v6.x/sha256sums.asc": `${"a".repeat(64)}  linux-6.12.200.tar.xz\n`,
    "/pub/v6.x/linux-6.12.200.tar.xz": { path: small },
  });
  const context = { cacheDir: newCache() };
  const source = await resolveSource(
    { kind: "kernel.org", version: "6.12.200", mirror: mirror.url },
    context,
  );
  await expect(fetchSource(source, context)).rejects.toMatchObject({
    code: "KERNEL_CHECKSUM",
    message: expect.stringContaining(
      `has the sha256 ${smallSum}, but the published one is ${"a".repeat(64)}`,
    ) as string,
  });
  expect(await names(join(context.cacheDir, "kernel/downloads"))).toEqual([]);
  expect(
    (await names(join(context.cacheDir, "kernel/sources"))).filter((name) => !name.endsWith(".json")),
  ).toEqual([]);
});

test("a release that is not there, and a mirror that is not, are told", async () => {
  const mirror = await startMirror({
    "/pub/v6.x/sha256sums.asc": `${smallSum}  linux-6.12.201.tar.xz\n`,
  });
  const context = { cacheDir: newCache() };
  const of = (version: string, url: string): ReturnType<typeof resolveSource> =>
    resolveSource({ kind: "kernel.org", version, mirror: url }, context);
  await expect(of("6.12.200", mirror.url)).rejects.toMatchObject({ code: "KERNEL_SOURCE" });
  await expect(of("7.1", mirror.url)).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
    message: `"${mirror.url}/v7.x/sha256sums.asc" answers with status 404`,
  });
  await expect(fetchSource(await of("6.12.201", mirror.url), context)).rejects.toMatchObject({
    message: expect.stringContaining("answers with status 404") as string,
  });
  await expect(of("6.12.200", "http://127.0.0.1:1/pub")).rejects.toMatchObject({
    message: expect.stringContaining('Cannot reach "http://127.0.0.1:1/pub/v6.x/sha256sums.asc"') as string,
  });
  await expect(of("6.12-foo", mirror.url)).rejects.toThrow('"6.12-foo" is no kernel release');
});

// The whole tarball of a real kernel: a broken connection, then a call that is aborted, then one that completes it.
// That one is aborted too, while it unpacks, which would take most of the time of all these tests.
test(
  "an interrupted download goes on where it stopped, and an interrupted unpacking leaves nothing",
  { timeout: 300_000 },
  async () => {
    const tarball = await realTarball(scratch);
    const sum = await sha256File(tarball);
    const { size } = await stat(tarball);
    const mirror = await startMirror({
      "/pub/v6.x/sha256sums.asc": `${sum}  linux-6.12.117.tar.xz\n`,
      "/pub/v6.x/linux-6.12.117.tar.xz": { path: tarball },
    });
    const cacheDir = newCache();
    const wanted = { kind: "kernel.org", version: "6.12.117", mirror: mirror.url } as const;
    const source = await resolveSource(wanted, { cacheDir });

    mirror.breakAfter = 20_000_000;
    const abort = new AbortController();
    const stopAt = (event: KernelProgress): void => {
      if (event.phase === "download" && event.done > 60_000_000) abort.abort();
    };
    await expect(
      fetchSource(source, { cacheDir, signal: abort.signal, onProgress: stopAt }),
    ).rejects.toMatchObject({
      code: "KERNEL_ABORTED",
    });
    const after = mirror.requests.length;
    expect(mirror.requests[2]).toMatch(/^GET \S+ bytes=[1-9]\d{6,}-$/);

    const events: KernelProgress[] = [];
    const again = new AbortController();
    const onProgress = (event: KernelProgress): void => {
      events.push(event);
      if (event.phase === "unpack" && event.done > 5_000_000) again.abort();
    };
    await expect(fetchSource(source, { cacheDir, signal: again.signal, onProgress })).rejects.toMatchObject({
      code: "KERNEL_ABORTED",
    });
    expect(mirror.requests.slice(after)).toEqual([expect.stringMatching(/ bytes=[5-9]\d{7}-$/)]);
    const downloads = events.filter(({ phase }) => phase === "download");
    expect(downloads[0]?.done).toBeGreaterThan(50_000_000);
    expect(downloads.at(-1)).toMatchObject({ done: size, total: size, unit: "bytes" });
    expect(events.findLast(({ phase }) => phase === "unpack")).toMatchObject({ total: size, unit: "bytes" });
    expect(await names(join(cacheDir, "kernel/downloads"))).toEqual([
      `linux-6.12.117-${sum.slice(0, 16)}.tar.xz`,
    ]);
    expect((await names(join(cacheDir, "kernel/sources"))).filter((name) => !name.endsWith(".json"))).toEqual(
      [],
    );
  },
);

test("a tarball is known by its bytes, and a wrong sum or a file that is none is refused", async () => {
  const context = { cacheDir: newCache() };
  const source = await resolveSource({ kind: "tarball", path: small, sha256: smallSum }, context);
  expect(source.id).toBe(`linux-6.12.200-${smallSum.slice(0, 16)}`);
  expect(await names(await fetchSource(source, context))).toContain("Kconfig");
  await expect(
    resolveSource({ kind: "tarball", path: small, sha256: "0".repeat(64) }, context),
  ).rejects.toMatchObject({ code: "KERNEL_CHECKSUM" });
  const other = join(scratch, "other.tar.gz");
  await execFileAsync("tar", ["-czf", other, "-C", scratch, "linux-6.12.200.tar.xz"]);
  await expect(
    fetchSource(await resolveSource({ kind: "tarball", path: other }, context), context),
  ).rejects.toThrow("holds no kernel source tree");
  const damaged = join(scratch, "damaged.tar.xz");
  await writeFile(damaged, (await readFile(small)).subarray(0, 5000));
  await expect(
    fetchSource(await resolveSource({ kind: "tarball", path: damaged }, context), context),
  ).rejects.toMatchObject({ code: "KERNEL_TOOL_FAILED" });
  await expect(
    resolveSource({ kind: "tarball", path: join(scratch, "none") }, context),
  ).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
  });
  // Nothing half-made is left beside the good one.
  const left = (await names(join(context.cacheDir, "kernel/sources"))).filter(
    (name) => !name.endsWith(".json"),
  );
  expect(left).toEqual([source.id]);
});

test("two calls at once unpack once", async () => {
  const context = { cacheDir: newCache() };
  const waits: string[] = [];
  const onProgress = (event: KernelProgress): void => {
    if (event.phase === "wait") waits.push(event.message ?? "");
  };
  const source = await resolveSource({ kind: "tarball", path: small }, context);
  const [a, b] = await Promise.all([
    fetchSource(source, { ...context, onProgress }),
    fetchSource(source, { ...context, onProgress }),
  ]);
  expect(a).toBe(b);
  expect(waits).toEqual([`Process ${process.pid} is fetching the same source`]);
});

test("a directory is only read, and known by its content", async () => {
  const path = join(scratch, "tree");
  await mkdir(path);
  await execFileAsync("tar", ["-xf", small, "--strip-components=1", "-C", path]);
  const resolve = (): ReturnType<typeof resolveSource> => resolveSource({ kind: "directory", path });
  const first = await resolve();
  expect(first).toMatchObject({ tree: path, unpack: undefined });
  expect((await resolve()).id).toBe(first.id);
  await appendFile(join(path, "init/Kconfig"), "# changed\n");
  expect((await resolve()).id).not.toBe(first.id);

  const git = (...args: string[]): Promise<unknown> =>
    execFileAsync("git", ["-C", path, "-c", "user.name=t", "-c", "user.email=t@example.org", ...args]);
  await git("init", "-q");
  await git("add", "-A");
  await git("commit", "-q", "-m", "tree");
  const { stdout } = await execFileAsync("git", ["-C", path, "rev-parse", "HEAD"]);
  expect((await resolve()).id).toBe(`git-${stdout.trim()}`);
  await appendFile(join(path, "init/Kconfig"), "# changed again\n");
  expect((await resolve()).id).toMatch(/^directory-/);
});

test("a tree that was built in place is explained", async () => {
  const path = join(scratch, "built");
  await mkdir(path);
  await execFileAsync("tar", ["-xf", small, "--strip-components=1", "-C", path]);
  await writeFile(join(path, ".config"), "");
  await expect(resolveSource({ kind: "directory", path })).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: `The tree "${path}" was built in place: it has ".config", and cannot be built out of tree so`,
    hint: `Clean it, which removes its .config, all objects and generated files and no source: make -C ${path} mrproper. Keep its configuration before: cp ${path}/.config ../saved.config.`,
  });
  await expect(resolveSource({ kind: "directory", path: scratch })).rejects.toThrow("it has no file Kconfig");

  // A clone that was built for another machine: mrproper has to be told, and what is committed can be had without it.
  await rm(join(path, ".config"));
  await mkdir(join(path, "arch/arm64/include/generated"), { recursive: true });
  await execFileAsync("git", ["-C", path, "init", "-q"]);
  await expect(resolveSource({ kind: "directory", path })).rejects.toMatchObject({
    message: `The tree "${path}" was built in place: it has "arch/arm64/include/generated", and cannot be built out of tree so`,
    hint: `Clean it, which removes its .config, all objects and generated files and no source: make -C ${path} ARCH=arm64 mrproper. Or take what is committed there, without touching the tree, as a git source: kbuild fetch --source git:${path}`,
  });
});
