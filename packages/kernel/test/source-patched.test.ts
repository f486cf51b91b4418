import { execFile } from "node:child_process";
import { appendFile, cp, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import type { KernelSource, ResolvedSource } from "../src/index.ts";
import { digestOf, git, names, scratchDirectory, smallTarball, smallTree } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
let scratch: string;
let tarball: string;
let tree: string;
let wanted: string;
let series: string;
let cacheDir: string;
let count = 0;

// A clone with three commits on top: an edit, an edit of the same lines with a name beyond ASCII, and a new executable.
beforeAll(async () => {
  scratch = await scratchDirectory();
  tarball = await smallTarball(scratch, "linux-6.12.59");
  tree = await smallTree(join(scratch, "tree"));
  const clone = join(scratch, "clone");
  await cp(tree, clone, { recursive: true });
  await git(clone, "init", "-q");
  await git(clone, "add", "-A");
  await git(clone, "commit", "-q", "-m", "base");
  await appendFile(join(clone, "Kbuild"), "# one\n");
  await git(clone, "commit", "-q", "-a", "-m", "kbuild: one");
  const kbuild = await readFile(join(clone, "Kbuild"), "utf8");
  await writeFile(join(clone, "Kbuild"), kbuild.replace("# one\n", "# one und zwei: größer\n"));
  await git(clone, "commit", "-q", "-a", "-m", "kbuild: größer");
  await mkdir(join(clone, "tools"));
  await writeFile(join(clone, "tools/new.sh"), "#!/bin/sh\n", { mode: 0o755 });
  await rm(join(clone, "init"), { recursive: true });
  await git(clone, "add", "-A");
  await git(clone, "commit", "-q", "-m", "tools: new");
  series = join(scratch, "series");
  await git(clone, "format-patch", "-q", "--cover-letter", "-o", series, "HEAD~3");
  await rm(join(clone, ".git"), { recursive: true });
  wanted = await digestOf(clone);
}, 60_000);
beforeEach(() => {
  cacheDir = join(scratch, `cache-${count++}`);
});

const base = (): KernelSource => ({ kind: "tarball", path: tarball });
const resolve = (patches: readonly string[], source = base()): Promise<ResolvedSource> =>
  resolveSource({ ...source, patches }, { cacheDir });

test("format-patch's files, a mailbox and quilt's series give the tree of the commits", async () => {
  const files = (await names(series)).sort().map((name) => join(series, name));
  const mailbox = join(scratch, "all.mbox");
  await execFileAsync("sh", ["-c", 'out=$1; shift; cat "$@" > "$out"', "sh", mailbox, ...files]);
  const quilt = join(scratch, "quilt");
  await cp(series, quilt, { recursive: true });
  const listed = (await names(quilt)).sort().slice(1);
  await writeFile(join(quilt, "series"), `# ours\n${listed[0]} # first\n\n${listed[1]} -p1\n${listed[2]}\n`);
  const ids = new Set<string>();
  for (const patches of [files.slice(1), [mailbox], [quilt], [series]]) {
    const source = await resolve(patches);
    expect(source.provenance.patches).toHaveLength(3);
    ids.add(source.id);
    expect(await digestOf(await fetchSource(source, { cacheDir })), String(patches)).toBe(wanted);
  }
  const plain = await resolve([]);
  expect(await digestOf(plain.tree), "the tree beneath is as it was").toBe(await digestOf(tree));
  expect(ids.size, "what matters is what is applied").toBe(1);
  expect([...ids][0]).toMatch(new RegExp(`^${plain.id}\\+[0-9a-f]{16}$`));
  expect((await resolve([mailbox])).provenance.patches?.[1]).toBe("all.mbox, mail 3: kbuild: größer");
});

test("mails that are encoded for their way are decoded", async () => {
  const text = await readFile(join(tree, "Kbuild"), "utf8");
  const lines = text.split("\n").slice(0, 3);
  const diff = `--- a/Kbuild\n+++ b/Kbuild\n@@ -1,3 +1,4 @@\n+# ü\n${lines.map((line) => ` ${line}\n`).join("")}`;
  const body = Buffer.from(`words\n---\n${diff}`).toString("base64");
  const mail = join(scratch, "encoded.mbox");
  await writeFile(
    mail,
    `From somebody Mon Sep 17 00:00:00 2001\nFrom: S <s@example.org>\nSubject: [PATCH] x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n${body}\n`,
  );
  const patched = await fetchSource(await resolve([mail]), { cacheDir });
  expect((await readFile(join(patched, "Kbuild"), "utf8")).split("\n")[0]).toBe("# ü");
});

test("diff's output applies, compressed too, as kernel.org's patches between releases are", async () => {
  const changed = join(scratch, "changed");
  await cp(tree, changed, { recursive: true });
  await appendFile(join(changed, "Makefile"), "# by diff\n");
  const patch = join(scratch, "by-diff.patch");
  await execFileAsync("sh", [
    "-c",
    'cd "$1" && diff -ruN tree changed > "$2"; test $? = 1',
    "sh",
    scratch,
    patch,
  ]);
  const plain = await resolve([patch]);
  expect(await digestOf(await fetchSource(plain, { cacheDir }))).toBe(await digestOf(changed));
  await execFileAsync("xz", ["-k", patch]);
  expect((await resolve([`${patch}.xz`])).id, "the same by content").toBe(plain.id);
});

test("unchanged files of the cache are shared, those of a user's tree never", async () => {
  const patch = join(series, (await names(series)).sort()[1] ?? "");
  const shared = await fetchSource(await resolve([patch]), { cacheDir });
  const beneath = (await resolve([])).tree;
  const inode = async (path: string): Promise<number> => (await stat(path)).ino;
  expect(await inode(join(shared, "Kconfig"))).toBe(await inode(join(beneath, "Kconfig")));
  expect(await inode(join(shared, "Kbuild"))).not.toBe(await inode(join(beneath, "Kbuild")));
  const users = { kind: "directory", path: tree } as const;
  const before = await digestOf(tree);
  const copied = await fetchSource(await resolve([patch], users), { cacheDir });
  expect(await inode(join(copied, "Kconfig"))).not.toBe(await inode(join(tree, "Kconfig")));
  expect(await digestOf(tree)).toBe(before);
});

test("a patch that does not fit names itself, the file and the hunk, and leaves nothing", async () => {
  const text = await readFile(join(series, (await names(series)).sort()[1] ?? ""), "utf8");
  const bad = join(scratch, "bad.patch");
  await writeFile(bad, text.replaceAll(/^ /gm, " x"));
  const at = /^@@ -(\d+).*$/m.exec(text);
  await expect(resolve([bad]).then((source) => fetchSource(source, { cacheDir }))).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: `The patch "bad.patch" does not apply: in "Kbuild" the hunk at line ${at?.[1]} (${at?.[0]}) does not fit`,
    hint: expect.stringContaining("git apply -p1 --reject bad.patch") as string,
  });
  const left = (await names(join(cacheDir, "kernel/sources"))).filter((name) => !name.endsWith(".json"));
  expect(left).toEqual([(await resolve([])).id]);

  const good = join(scratch, "good.patch");
  await writeFile(good, text);
  await expect(
    resolve([good, good]).then((source) => fetchSource(source, { cacheDir })),
  ).rejects.toMatchObject({
    hint: "The source has it already: leave it out",
  });
  await writeFile(bad, text.replaceAll("Kbuild", "Kbuidl"));
  await expect(resolve([bad]).then((source) => fetchSource(source, { cacheDir }))).rejects.toMatchObject({
    message: 'The patch "bad.patch" does not apply: Kbuidl: No such file or directory',
  });
  await writeFile(bad, "--- /dev/null\n+++ b/../outside\n@@ -0,0 +1 @@\n+x\n");
  await expect(resolve([bad]).then((source) => fetchSource(source, { cacheDir }))).rejects.toThrow(
    "invalid path '../outside'",
  );
});

test("a tree inside somebody's repository is patched as well", async () => {
  const repository = join(scratch, "repository");
  await mkdir(repository);
  await git(repository, "init", "-q");
  cacheDir = join(repository, "cache");
  expect(await digestOf(await fetchSource(await resolve([series]), { cacheDir }))).toBe(wanted);
});

test("what is no patch, or is not there, is told before anything is fetched", async () => {
  await expect(resolve([join(scratch, "none.patch")])).rejects.toThrow(
    /^Cannot read the patch ".*none\.patch"$/,
  );
  await expect(resolve([tarball])).rejects.toThrow("holds no patch");
  await expect(resolve([tree])).rejects.toMatchObject({
    message: `The directory "${tree}" holds no patches`,
    hint: 'It needs a file "series" in quilt\'s form, or files that end in .patch or .diff',
  });
  expect(await names(join(cacheDir, "kernel/downloads"))).toEqual([]);
});
