import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import { sha256File } from "../src/internal/download.ts";
import { startMirror } from "./support/mirror.ts";
import type { Mirror } from "./support/mirror.ts";
import { digestOf, git, names, scratchDirectory, smallTree } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
const versions = ["6.12", "6.12.9", "6.12.59"];
let scratch: string;
let clone: string;
let mirror: Mirror;
let cacheDir: string;
let count = 0;
const digests = new Map<string, string>();

async function serve(file: string): Promise<void> {
  mirror.files[`/pub/v6.x/${file}`] = { path: join(scratch, file) };
  const sums = mirror.files["/pub/v6.x/sha256sums.asc"] as string;
  mirror.files["/pub/v6.x/sha256sums.asc"] = `${sums}${await sha256File(join(scratch, file))}  ${file}\n`;
}

// Three releases as kernel.org publishes them: whole, and as the difference to the first.
beforeAll(async () => {
  scratch = await scratchDirectory();
  clone = await smallTree(join(scratch, "clone"));
  await git(clone, "init", "-q");
  const makefile = await readFile(join(clone, "Makefile"), "utf8");
  for (const version of versions) {
    await writeFile(
      join(clone, "Makefile"),
      makefile.replace(/^SUBLEVEL = .*$/m, `SUBLEVEL = ${version.split(".")[2] ?? 0}`),
    );
    if (version !== "6.12") {
      await mkdir(join(clone, `scripts/${version}`));
      await writeFile(join(clone, `scripts/${version}/run.sh`), "#!/bin/sh\n", { mode: 0o755 });
    }
    await git(clone, "add", "-A");
    await git(clone, "commit", "-q", "-m", version);
    await git(clone, "tag", `v${version}`);
    await git(
      clone,
      "archive",
      `--prefix=linux-${version}/`,
      "-o",
      join(scratch, `linux-${version}.tar`),
      "HEAD",
    );
    await execFileAsync("xz", [join(scratch, `linux-${version}.tar`)]);
    if (version === "6.12") continue;
    await git(clone, "diff", `--output=${join(scratch, `patch-${version}`)}`, "v6.12", "HEAD");
    await execFileAsync("xz", [join(scratch, `patch-${version}`)]);
  }
}, 60_000);
beforeEach(async () => {
  mirror = await startMirror({ "/pub/v6.x/sha256sums.asc": "" });
  for (const version of versions) await serve(`linux-${version}.tar.xz`);
  for (const version of versions.slice(1)) await serve(`patch-${version}.xz`);
  cacheDir = join(scratch, `cache-${count++}`);
});

const fetchRelease = async (version: string, cache = cacheDir, messages: string[] = []): Promise<string> => {
  const context = {
    cacheDir: cache,
    onProgress: (event: { message?: string | undefined }) => void messages.push(event.message ?? ""),
  };
  return fetchSource(
    await resolveSource({ kind: "kernel.org", version, mirror: mirror.url }, context),
    context,
  );
};
const fetched = (): string[] =>
  mirror.requests.slice(1).map((request) => request.replace("GET /pub/v6.x/", ""));

/** What the whole tarball gives. */
async function wanted(version: string): Promise<string> {
  const known = digests.get(version);
  if (known !== undefined) return known;
  const digest = await digestOf(await fetchRelease(version, join(scratch, `whole-${version}`)));
  mirror.requests.length = 0;
  digests.set(version, digest);
  return digest;
}

test.each([
  ["6.12", "6.12.59", ["patch-6.12.59.xz"]],
  ["6.12.9", "6.12.59", ["patch-6.12.9.xz", "patch-6.12.59.xz"]],
  ["6.12.59", "6.12.9", ["patch-6.12.59.xz", "patch-6.12.9.xz"]],
  ["6.12.9", "6.12", ["patch-6.12.9.xz"]],
])("with %s in the cache, %s needs no tarball and is the same", async (from, to, files) => {
  const digest = await wanted(to);
  await fetchRelease(from);
  expect(await digestOf(await fetchRelease(to))).toBe(digest);
  expect(fetched()).toEqual([`linux-${from}.tar.xz`, ...files]);
  expect(await digestOf(await fetchRelease(from)), "the first is as it was").toBe(await wanted(from));
});

test("a patch that is missing, wrong or does not fit is told, and the tarball taken", async () => {
  const digest = await wanted("6.12.59");
  await fetchRelease("6.12");
  const misfit = join(scratch, "misfit");
  await writeFile(
    misfit,
    "diff --git a/Kbuild b/Kbuild\n--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-no such line\n+x\n",
  );
  const plain = join(scratch, "plain");
  await writeFile(plain, "--- a/Kbuild\n+++ b/Kbuild\n@@ -1 +1 @@\n-no such line\n+x\n");
  for (const [file, told] of [
    [misfit, 'does not apply: in "Kbuild"'],
    [plain, "is not in git's form"],
    ["", "answers with status 404"],
  ] as const) {
    const sums = mirror.files["/pub/v6.x/sha256sums.asc"] as string;
    if (file === "") delete mirror.files["/pub/v6.x/patch-6.12.59.xz"];
    else {
      mirror.files["/pub/v6.x/patch-6.12.59.xz"] = { path: file };
      mirror.files["/pub/v6.x/sha256sums.asc"] = sums.replace(
        /^.*patch-6\.12\.59\.xz$/m,
        `${await sha256File(file)}  patch-6.12.59.xz`,
      );
    }
    const cache = join(scratch, `cache-${count++}`);
    await fetchRelease("6.12", cache);
    const messages: string[] = [];
    const tree = await fetchRelease("6.12.59", cache, messages);
    expect(await digestOf(tree)).toBe(digest);
    expect(messages).toContainEqual(
      expect.stringMatching(new RegExp(`${told}.*; the whole 6\\.12\\.59 is fetched instead of patches`)),
    );
    expect((await names(join(cache, "kernel/sources"))).filter((name) => name.startsWith("."))).toEqual([]);
  }
});

test("a tarball that is there already is used", async () => {
  await wanted("6.12.59");
  cacheDir = join(scratch, "whole-6.12.59");
  await fetchRelease("6.12.9");
  await execFileAsync("rm", ["-rf", join(cacheDir, "kernel/sources")]);
  mirror.requests.length = 0;
  await fetchRelease("6.12.59");
  await fetchRelease("6.12.9");
  expect(mirror.requests).toEqual([]);
});
