import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseConfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { kernelCacheDir } from "../src/index.ts";
import { treeVersion } from "../src/internal/tree.ts";
import { kbuild } from "./support/kbuild.ts";
import { startMirror } from "./support/mirror.ts";
import { git, realTree, scratchDirectory, smallTree } from "./support/real-source.ts";

test("features are listed, and one is shown as its fragment", async () => {
  const list = await kbuild("features");
  expect(list.status).toBe(0);
  expect(list.out).toMatch(/^\* base +what any program needs/m);
  expect(list.out).toMatch(/^ {2}net +IPv4/m);
  expect((await kbuild("features", "net")).out).toContain("# why: IPv4");
  const json = JSON.parse((await kbuild("features", "--json")).out) as { name: string; default: boolean }[];
  expect(json.find(({ name }) => name === "serial")).toMatchObject({ default: true });
});

test("presets are listed, one is shown as its fragment, and what is meant is told", async () => {
  const list = await kbuild("presets");
  expect(list.out).toMatch(/^kpti=off +one set of page tables/m);
  expect((await kbuild("presets", "kpti=off")).out).toContain("# prebuilt: pti=off");
  const json = JSON.parse((await kbuild("presets", "thp=always", "--json")).out) as object;
  expect(json).toMatchObject({
    name: "thp=always",
    write: { path: "/sys/kernel/mm/transparent_hugepage/enabled", value: "always" },
    proofs: [{ wanted: "has", pattern: String.raw`\[always\]` }],
  });
  expect(await kbuild("configure", "--preset", "thp")).toMatchObject({
    status: 1,
    err: expect.stringContaining("hint: Its positions are thp=always, thp=madvise, thp=never") as string,
  });
});

test("configure prints a .config, or writes it and tells what it holds", { timeout: 300_000 }, async () => {
  await realTree();
  const { status, out, err } = await kbuild("configure", "--source", "debian:6.12");
  expect(err).not.toContain("error");
  expect(status).toBe(0);
  expect(parseConfig(out).values.get("SERIAL_8250_CONSOLE")?.text).toBe("y");
  const file = join(await scratchDirectory(), "config");
  const json = await kbuild("configure", "--source", "debian:6.12", "--json", "-o", file);
  expect(JSON.parse(json.out)).toMatchObject({ output: file, counts: { m: 0 } });
  expect(await readFile(file, "utf8")).toBe(out);
});

test("a dry run prints commands that can be typed, and runs none", { timeout: 120_000 }, async () => {
  const cacheDir = await scratchDirectory();
  const { out, status } = await kbuild(
    "build",
    "--source",
    "debian:6.12",
    "--cache-dir",
    cacheDir,
    "--dry-run",
  );
  expect(status).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("apt-get");
  expect(lines[1]).toMatch(/^dpkg-deb --fsys-tarfile \S+\.deb \| tar -xO \S+ \| tar -xJ/);
  expect(lines[2]).toMatch(/KCONFIG_ALLCONFIG=\S+ allnoconfig$/);
  expect(lines[3]).toMatch(/ -j\d+ .* bzImage$/);
  const tree = join(kernelCacheDir({ cacheDir }), "sources");
  await expect(readFile(join(tree, "Makefile"))).rejects.toThrow();
});

test("wrong usage is told with what was meant and exits 2, other errors exit 1", async () => {
  expect(await kbuild("buidl")).toEqual({
    status: 2,
    out: "",
    err: 'error: There is no command "buidl"\nhint: Did you mean "build"?\n',
  });
  expect(await kbuild("build", "--featur", "net")).toMatchObject({
    status: 2,
    err: 'error: There is no option "--featur"\nhint: Did you mean "--feature"?\n',
  });
  expect(await kbuild("build", "--jobs", "many", "--source", "debian:6.12")).toMatchObject({ status: 2 });
  expect(await kbuild("build", "extra")).toMatchObject({ status: 2 });
  expect(await kbuild("configure", "--set", "X", "--source", "debian:6.12")).toMatchObject({ status: 2 });
  expect(await kbuild("fetch", "--source", "/no/such/tree")).toMatchObject({
    status: 1,
    err: expect.stringContaining('"/no/such/tree" is no source') as string,
  });
  expect(await kbuild("features", "nett")).toMatchObject({ status: 1 });
});

test(
  "fetch takes each kind of source, and prints where it is, its version and its id",
  { timeout: 60_000 },
  async () => {
    const scratch = await scratchDirectory();
    const cache = ["--cache-dir", join(scratch, "cache")];
    const clone = await smallTree(join(scratch, "clone"));
    await git(clone, "init", "-q");
    await git(clone, "add", "-A");
    await git(clone, "commit", "-q", "-m", "base");
    await git(clone, "tag", "base");
    const patch = join(scratch, "a.patch");
    await writeFile(patch, "--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+x\n");
    const tree = await git(clone, "rev-parse", "HEAD^{tree}");
    const version = await treeVersion(clone);

    const plain = await kbuild("fetch", "--source", `git:${clone}#base`, "--patch", patch, ...cache);
    expect(plain).toMatchObject({ status: 0 });
    const id = new RegExp(`^tree-${tree}\\+[0-9a-f]{16}$`);
    const [, path = "", printed, printedId] =
      /^tree {5}(.*)\nversion {2}(.*)\nid {7}(.*)\n$/.exec(plain.out) ?? [];
    expect(printed).toBe(version);
    expect(printedId).toMatch(id);
    expect(await readFile(join(path, "new"), "utf8")).toBe("x\n");
    const json = JSON.parse((await kbuild("fetch", "--source", clone, "--json", ...cache)).out) as unknown;
    expect(json).toMatchObject({ tree: clone, version, provenance: { kind: "directory" } });

    const url = `file://${clone}`;
    const offline = await kbuild("fetch", "--source", `git:${url}#base`, "--offline", ...cache);
    expect(offline.status).toBe(1);
    expect(offline.err).toBe(
      `error: "${url}" would have to be asked, and the network is not to be used\nhint: Run it once without the offline option, or name a local clone\n`,
    );
    const dry = await kbuild("fetch", "--source", `git:${url}#base`, "--patch", patch, "--dry-run", ...cache);
    expect(dry.out.split("\n")).toEqual([
      expect.stringMatching(/^git init -q --bare \S+\.git$/),
      expect.stringMatching(/^git -C \S+ fetch --depth=1 --no-tags file:\S+ base$/),
      expect.stringMatching(/^mkdir -p \S+$/),
      expect.stringMatching(/^git -C \S+ archive FETCH_HEAD \| tar -x -C \S+$/),
      expect.stringMatching(/^git -C \S+ apply \S+a\.patch$/),
      "",
    ]);
    const mirror = await startMirror({
      "/pub/v6.x/sha256sums.asc": `${"a".repeat(64)}  linux-6.12.9.tar.xz\n`,
    });
    const release = ["fetch", "--source", "kernel.org:6.12.y", "--mirror", mirror.url, ...cache];
    expect((await kbuild(...release, "--dry-run")).out.split("\n")).toEqual([
      expect.stringMatching(/^curl -L -C - -o \S+ http:\S+\/v6\.x\/linux-6\.12\.9\.tar\.xz$/),
      expect.stringMatching(/^mkdir -p \S+\/linux-6\.12\.9-a{16}$/),
      expect.stringMatching(/^tar -xf \S+ --strip-components=1 -C \S+$/),
      "",
    ]);
    const missing = await kbuild(...release);
    expect(missing.err).toMatch(
      /^note: linux-6\.12\.9\.tar\.xz: signature not checked: .*\nerror: .* status 404\nhint: /,
    );
    expect(await kbuild("fetch", "--source", "https://example.org/x.tar.xz", ...cache)).toMatchObject({
      status: 2,
    });
    expect((await kbuild("fetch", "--source", "6.12.y", ...cache)).err).toContain(
      'hint: Did you mean "kernel.org:6.12.y"?',
    );
  },
);

test("the executable runs", async () => {
  const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [cli, "--help"], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  expect(text).toContain("kbuild build [options]");
  expect((await kbuild("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
