import { execFile } from "node:child_process";
import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { fetchSource, listCache, resolveSource, trimCache } from "../src/index.ts";
import type { KernelContext, KernelProgress, ResolvedSource } from "../src/index.ts";
import { startMirror } from "./support/mirror.ts";
import { digestOf, git, names, scratchDirectory, smallTree } from "./support/real-source.ts";

let scratch: string;
let clone: string;
let url: string;
let first: string;
let cacheDir: string;
let count = 0;

beforeAll(async () => {
  scratch = await scratchDirectory();
  clone = await smallTree(join(scratch, "linux"));
  url = `file://${clone}`;
  await git(clone, "init", "-q");
  // What git archive would leave out, and an executable and a link, which must come as they are.
  await writeFile(join(clone, ".gitattributes"), "left-out export-ignore\n");
  await writeFile(join(clone, "left-out"), "here\n");
  await git(clone, "add", "-A");
  await git(clone, "update-index", "--chmod=+x", "left-out");
  await git(clone, "commit", "-q", "-m", "first");
  await git(clone, "tag", "-a", "-m", "a release", "v6.12");
  first = await git(clone, "rev-parse", "HEAD");
  await git(clone, "checkout", "-q", "-b", "topic/fast");
  await change("fast");
  await git(clone, "checkout", "-q", "-f", "main");
}, 60_000);
beforeEach(() => {
  cacheDir = join(scratch, `cache-${count++}`);
});

async function change(text: string): Promise<string> {
  await appendFile(join(clone, "Kbuild"), `# ${text}\n`);
  await git(clone, "commit", "-q", "-a", "-m", text);
  return git(clone, "rev-parse", "HEAD");
}

const resolve = (
  ref: string | undefined,
  from: string = url,
  context: KernelContext & { refresh?: boolean } = {},
): Promise<ResolvedSource> => resolveSource({ kind: "git", url: from, ref }, { cacheDir, ...context });

test("a tag, a branch, a commit and HEAD of a remote give their tree, whole", async () => {
  const tagged = await resolve("v6.12");
  expect(tagged).toMatchObject({
    id: `tree-${await git(clone, "rev-parse", "v6.12^{tree}")}`,
    provenance: { kind: "git", origin: `${url} v6.12`, commit: first },
  });
  const tree = await fetchSource(tagged, { cacheDir });
  expect((await names(tree)).sort()).toEqual([
    ".gitattributes",
    "Kbuild",
    "Kconfig",
    "Makefile",
    "init",
    "left-out",
    "scripts",
  ]);
  const copy = join(scratch, "checked-out");
  await git(scratch, "clone", "-q", "-b", "v6.12", clone, copy);
  await rename(join(copy, ".git"), join(scratch, "git-of-copy"));
  expect(await digestOf(tree)).toBe(await digestOf(copy));

  expect((await resolve(first)).id).toBe(tagged.id);
  expect((await resolve(undefined)).id).toBe(tagged.id);
  const topic = await resolve("topic/fast");
  expect(topic.id).not.toBe(tagged.id);
  expect(await readFile(join(await fetchSource(topic, { cacheDir }), "Kbuild"), "utf8")).toMatch(/# fast\n$/);
  expect(await names(join(cacheDir, "kernel/git")), "one store, and the notes").toEqual(
    expect.arrayContaining([expect.stringMatching(/^linux-[0-9a-f]{12}\.git$/)]),
  );
  const stores = (await names(join(cacheDir, "kernel/git"))).filter((name) => name.endsWith(".git"));
  expect(stores).toHaveLength(1);
  // No history came with it.
  expect(
    await git(
      join(cacheDir, "kernel/git", stores[0] ?? ""),
      "rev-list",
      "--count",
      topic.provenance.commit ?? "",
    ),
  ).toBe("1");
});

test("a branch that moves is followed, and offline is where it was", async () => {
  const before = await resolve("main");
  const commit = await change("moved");
  expect((await resolve("main", url, { offline: true })).id).toBe(before.id);
  const after = await resolve("main");
  expect(after.provenance.commit).toBe(commit);
  // What is in the store needs no network, what is not is told.
  expect(
    (await resolve("v6.12", url).then(() => resolve("v6.12", url, { offline: true }))).provenance.commit,
  ).toBe(first);
  await expect(resolve("topic/fast", url, { offline: true })).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
  });
  // A remote that is gone is told, and the last answer used.
  await rename(clone, `${clone}-away`);
  try {
    const told: string[] = [];
    const onProgress = ({ message }: KernelProgress): void => void told.push(message ?? "");
    expect((await resolve("main", url, { onProgress })).id).toBe(after.id);
    expect(told).toEqual([expect.stringContaining('what "main" was earlier is used')]);
    await expect(resolve("other")).rejects.toMatchObject({
      code: "KERNEL_DOWNLOAD",
      hint: "Check the network and the address; a local clone can be named instead",
    });
  } finally {
    await rename(`${clone}-away`, clone);
  }
});

test("a clone is read at any ref and not written, whatever its working tree is at", async () => {
  const remote = await resolve("v6.12");
  await appendFile(join(clone, "Kconfig"), "# not committed\n");
  const before = await digestOf(clone);
  const source = await resolve("v6.12", clone);
  expect(source.id, "the same tree is the same source").toBe(remote.id);
  const tree = await fetchSource(source, { cacheDir });
  expect(await readFile(join(tree, "Kconfig"), "utf8")).not.toContain("not committed");
  expect((await resolve("topic/fast~1", clone)).id).toBe(remote.id);
  expect((await resolve(first.slice(0, 10), clone)).provenance.commit).toBe(first);
  expect((await resolve(undefined, clone)).provenance.commit).toBe(await git(clone, "rev-parse", "HEAD"));
  expect(await digestOf(clone)).toBe(before);
  const fresh = join(scratch, "cache-of-clone");
  await resolve("v6.12", clone, { cacheDir: fresh });
  expect(await names(join(fresh, "kernel")), "a clone is not copied").toEqual([]);
  await git(clone, "checkout", "-q", "--", "Kconfig");
});

test("refs that are not there are told, with the one that was probably meant", async () => {
  for (const from of [url, clone]) {
    await expect(resolve("topic/fats", from)).rejects.toMatchObject({
      code: "KERNEL_SOURCE",
      message: `"${from}" has no ref "topic/fats"`,
      hint: 'Did you mean "topic/fast"?',
    });
  }
  await expect(resolve(first.slice(0, 10))).rejects.toMatchObject({
    hint: "A remote repository is asked for branches, tags and whole commit ids; a local clone knows the rest",
  });
  const none = "1".repeat(40);
  await expect(resolve(none)).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: `"${url}" has no commit ${none}`,
  });
  await expect(resolve("--upload-pack=touch /tmp/x")).rejects.toMatchObject({
    message: expect.stringContaining("is no ref of git") as string,
  });
  await expect(resolve("main", scratch)).rejects.toThrow(`Cannot read the repository "${scratch}"`);
  await expect(resolve("main", "no-such-thing")).rejects.toThrow("is neither a directory nor a URL");
  await expect(resolve("main", "http://127.0.0.1:1/linux.git")).rejects.toMatchObject({
    code: "KERNEL_DOWNLOAD",
  });
});

test("a server that gives no shallow history is taken as it is", async () => {
  const bare = join(scratch, "dumb.git");
  await git(scratch, "clone", "-q", "--bare", clone, bare);
  await git(bare, "update-server-info");
  // The dumb protocol: a directory of files.
  const server = createServer((request, response) => {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    readFile(join(scratch, path)).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  afterAll(() => void server.close());
  const dumb = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dumb.git`;
  const source = await resolve("v6.12", dumb);
  expect(source.id).toBe((await resolve("v6.12", clone)).id);
  expect(await names(await fetchSource(source, { cacheDir }))).toContain("Kconfig");
  expect((await resolve(first, dumb)).id).toBe(source.id);
});

test("many at once share the store", async () => {
  const all = await Promise.all(["v6.12", "main", "topic/fast", first, "HEAD"].map((ref) => resolve(ref)));
  const trees = await Promise.all(all.map((source) => fetchSource(source, { cacheDir })));
  expect(trees[0]).toBe(trees[3]);
  for (const tree of trees) expect(await names(tree)).toContain("Makefile");
});

test("a git that was killed leaves locks and halves that the next one removes", async () => {
  const store = join(cacheDir, "kernel/git");
  await resolve("v6.12");
  const directory = join(store, (await names(store)).find((name) => name.endsWith(".git")) ?? "");
  for (const lock of ["shallow.lock", "config.lock", "refs/justenough/x.lock", "objects/pack/tmp_pack_Ab12"])
    await writeFile(join(directory, lock), "");
  expect((await resolve("topic/fast")).provenance.commit).toBe(await git(clone, "rev-parse", "topic/fast"));
  expect(await names(join(directory, "objects/pack"))).not.toContain("tmp_pack_Ab12");
});

test("the store is in the cache's list, and comes again when it was removed", async () => {
  const source = await resolve("v6.12");
  await fetchSource(source, { cacheDir });
  const kinds = async (): Promise<string[]> => (await listCache({ cacheDir })).map(({ kind }) => kind);
  expect((await kinds()).sort()).toEqual(["git", "sources"]);
  await trimCache({ cacheDir, maxBytes: 0 });
  expect(await kinds()).toEqual([]);
  expect(await fetchSource(await resolve("v6.12"), { cacheDir })).toBe(source.tree);
});

test("what the user has set for git changes no byte", async () => {
  const home = join(scratch, "home-crlf");
  await mkdir(home);
  await writeFile(join(home, "attributes"), "* text eol=crlf\n");
  await writeFile(
    join(home, ".gitconfig"),
    `[core]\n\tautocrlf = true\n\tattributesFile = ${home}/attributes\n`,
  );
  const { HOME } = process.env;
  process.env["HOME"] = home;
  try {
    const tree = await fetchSource(await resolve("v6.12"), { cacheDir });
    expect(await readFile(join(tree, "Makefile"), "utf8")).not.toContain("\r");
  } finally {
    process.env["HOME"] = HOME;
  }
});

test("a release candidate of kernel.org comes from git", async () => {
  const version = "6.13-rc4";
  await git(clone, "tag", "-f", `v${version}`, first);
  const home = join(scratch, "home");
  await mkdir(home);
  const mainline = "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git";
  await writeFile(join(home, ".gitconfig"), `[url "${url}"]\n\tinsteadOf = ${mainline}\n`);
  const mirror = await startMirror({
    "/pub/releases.json": JSON.stringify({
      latest_stable: { version: "6.12" },
      releases: [{ moniker: "mainline", version }],
    }),
  });
  const { HOME } = process.env;
  process.env["HOME"] = home;
  try {
    const source = await resolveSource(
      { kind: "kernel.org", version: "mainline", mirror: mirror.url },
      { cacheDir },
    );
    expect(source.provenance).toEqual({ kind: "git", origin: `${mainline} v${version}`, commit: first });
  } finally {
    process.env["HOME"] = HOME;
  }
});

test("git bisect can drive it", async () => {
  const bisected = join(scratch, "bisected");
  await git(scratch, "clone", "-q", clone, bisected);
  for (let step = 0; step < 7; step++) {
    await appendFile(join(bisected, "Kbuild"), step === 4 ? "# the fault\n" : `# step ${step}\n`);
    await git(bisected, "commit", "-q", "-a", "-m", `step ${step}`);
  }
  await git(bisected, "bisect", "start", "HEAD", "HEAD~7");
  const cli = new URL("../src/cli.ts", import.meta.url).pathname;
  const script = `tree=$("$1" "$2" fetch --source git:. --cache-dir "$3" --json | sed -n 's/^  "tree": "\\(.*\\)",$/\\1/p') && ! grep -q 'the fault' "$tree/Kbuild"`;
  const run = ["bisect", "run", "sh", "-c", script, "sh", process.execPath, cli, cacheDir];
  const { stdout } = await promisify(execFile)("git", ["-C", bisected, ...run]);
  expect(stdout).toMatch(/is the first bad commit[\s\S]*step 4/);
});
