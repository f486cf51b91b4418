import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { buildKernel, buildMatrix, readMatrix } from "../src/index.ts";
import { MODULAR_KERNEL } from "./support/built-kernel.ts";
import { kbuild } from "./support/kbuild.ts";
import { ownCache } from "./support/own-cache.ts";
import { scratchDirectory } from "./support/real-source.ts";

const CLI = fileURLToPath(new URL("../src/cli.ts", import.meta.url));

async function write(text: string): Promise<string> {
  const file = join(await scratchDirectory(), "matrix.yaml");
  await writeFile(file, text);
  return file;
}

// The kernel that other tests have built, and three that cannot be.
const MATRIX = `sources: [debian:6.12]
arch: [x86_64, riscv64]
configs:
  whole:
    features: [net, virtio, modules]
    set: { DUMMY: m }
  unknown: { features: [virtio-nte] }
  refused: { set: { EXT4_FS: y, BLOCK: n } }
exclude:
  - { arch: riscv64, config: whole }
  - { arch: riscv64, config: unknown }
`;

test(
  "cells are built or taken from the cache, and one that fails does not stop the others",
  { timeout: 1_800_000 },
  async () => {
    await buildKernel(MODULAR_KERNEL);
    const file = await write(MATRIX);
    const output = join(file, "../out");
    const { status, out, err } = await kbuild("matrix", file, "-o", output);
    expect(status).toBe(1);
    expect(out.split("\n").map((line) => line.replaceAll(/ +/g, " "))).toEqual([
      "cell state release options image CPU s",
      expect.stringMatching(/^debian-6\.12_x86_64_gcc_whole cached 6\.12\.\d+ \d{3} \d{7} \d+$/),
      expect.stringMatching(/^debian-6\.12_x86_64_gcc_refused failed These cannot be met together/),
      'debian-6.12_x86_64_gcc_unknown failed There is no feature "virtio-nte"',
      expect.stringMatching(/^debian-6\.12_riscv64_gcc_refused failed These cannot be met together/),
      "",
    ]);
    expect(err).toContain('hint: Did you mean "virtio-net"?');
    expect(err).toContain(`EXT4_FS=y, wanted by ${file}, configs.refused`);
    expect(err).toContain("exclude each other");
    expect(await readdir(output)).toEqual(["debian-6.12_x86_64_gcc_whole"]);
    expect(await readdir(join(output, "debian-6.12_x86_64_gcc_whole"))).toContain("bzImage");

    const results = JSON.parse((await kbuild("matrix", file, "--only", "whole", "--json")).out) as unknown[];
    expect(results).toMatchObject([
      { name: "debian-6.12_x86_64_gcc_whole", state: "cached", compiler: "gcc" },
    ]);
  },
);

test("an interrupted matrix ends at once", async () => {
  const cells = await readMatrix(await write(MATRIX));
  const abort = new AbortController();
  abort.abort();
  await expect(buildMatrix({ cells, signal: abort.signal })).rejects.toMatchObject({
    code: "KERNEL_ABORTED",
  });
});

test("the cells are every combination but those excluded", async () => {
  const file = await write(`
sources: [debian:6.1, kernel.org:6.6.y, "git:https://example.org/linux.git#v6.9"]
arch: [x86_64, arm64]
compiler: [gcc, clang]
configs: { a: , b: { default-features: false, base: tinyconfig, set: { HZ_100: true, NR_CPUS: 4, SMP: n } } }
exclude: [{ arch: arm64, compiler: clang }, { source: debian:6.1, config: b }]
`);
  const cells = await readMatrix(file);
  expect(cells.length).toBe(3 * 3 * 2 - 3);
  expect(cells.map(({ name }) => name)).toContain("git-https-example.org-linux.git-v6.9_arm64_gcc_b");
  const b = cells.find(({ name }) => name === "kernel.org-6.6.y_x86_64_clang_b");
  expect(b).toMatchObject({
    source: { kind: "kernel.org", version: "6.6.y" },
    compiler: "clang",
    base: "tinyconfig",
    features: [],
    config: { HZ_100: "y", NR_CPUS: "4", SMP: "n" },
  });
  expect((await kbuild("matrix", file, "--dry-run")).out.split("\n").length).toBe(cells.length + 1);
});

test("sources have names and patches of their own, and paths that start at the file", async () => {
  const file = await write(`
sources:
  - debian:6.12
  - { source: debian:6.12, name: fixed, patches: [fix.patch] }
  - tree
  - git:./tree#v6.9
configs: { a: { features: [] } }
exclude: []
`);
  const directory = dirname(file);
  await mkdir(join(directory, "tree"));
  const cells = await readMatrix(file);
  expect(cells.map(({ name, source }) => ({ name, source }))).toEqual([
    { name: "debian-6.12_x86_64_gcc_a", source: { kind: "debian", series: "6.12" } },
    {
      name: "fixed_x86_64_gcc_a",
      source: { kind: "debian", series: "6.12", patches: [join(directory, "fix.patch")] },
    },
    { name: "tree_x86_64_gcc_a", source: { kind: "directory", path: join(directory, "tree") } },
    {
      name: "git-.-tree-v6.9_x86_64_gcc_a",
      source: { kind: "git", url: join(directory, "tree"), ref: "v6.9" },
    },
  ]);
});

test("a configuration may have presets", async () => {
  const configs = "{ plain: {}, fast: { presets: [mitigations=off, thp=always] } }";
  const cells = await readMatrix(await write(`sources: [debian:6.12]\nconfigs: ${configs}\n`));
  const presets = cells.map(({ place, presets }) => [place?.["config"], presets]);
  expect(Object.fromEntries(presets)).toEqual({ plain: [], fast: ["mitigations=off", "thp=always"] });
});

test("cells that share a build directory come in the order in which the least changes", async () => {
  const cells = await readMatrix(
    await write(`
sources: [debian:6.12]
configs:
  small: {}
  large: { features: [net, virtio, modules] }
  unknown: { features: [nothing] }
  small-100: { set: { HZ_100: y } }
  larger: { features: [net, virtio, modules, fs-ext4] }
`),
  );
  expect(cells.map(({ place }) => place?.config)).toEqual([
    "small",
    "small-100",
    "large",
    "larger",
    "unknown",
  ]);
});

test("--only takes the cells whose names have a text, and says when there are none", async () => {
  const file = await write("sources: [debian:6.1, debian:6.12]\narch: [x86_64, arm64]\nconfigs: { a: {} }\n");
  const only = async (text: string): Promise<string> =>
    (await kbuild("matrix", file, "--dry-run", "--only", text)).out;
  expect(await only("6.1_")).toBe("debian-6.1_x86_64_gcc_a\ndebian-6.1_arm64_gcc_a\n");
  expect(await only("6.12*arm")).toBe("debian-6.12_arm64_gcc_a\n");
  const { status, err } = await kbuild("matrix", file, "--dry-run", "--only", "6.12*riscv");
  expect(status).toBe(1);
  expect(err).toContain('hint: They are called like "debian-6.1_x86_64_gcc_a"');
});

test("Ctrl-C in the middle ends with 130 and the results that there are", { timeout: 300_000 }, async () => {
  const file = await write(`sources: [debian:6.12]
configs:
  refused: { set: { EXT4_FS: y, BLOCK: n } }
  never: { set: { DEFAULT_HOSTNAME: "${randomUUID()}" } }
`);
  const cache = await ownCache(join(dirname(file), "cache"));
  const args = [CLI, "matrix", file, "--cache-dir", cache];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let [out, err] = ["", ""];
  let interrupted = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    // Once: a second Ctrl-C ends it without a word.
    if (interrupted || !err.includes("[2/2]")) return;
    interrupted = child.kill("SIGINT");
  });
  const [status] = (await once(child, "close")) as [number | null];
  expect(status, err).toBe(130);
  expect(out.split("\n")).toEqual([
    expect.stringMatching(/^cell /),
    expect.stringMatching(/^debian-6\.12_x86_64_gcc_refused +failed /),
    "",
  ]);
});

test.each([
  ["sources: [a\n", /:2:1: /],
  ["- a\n", /:1:1: A matrix is a map/],
  ["configs: { a: {} }\n", /:1:1: There are no "sources"/],
  ["sources: [debian:6.12]\n", /:1:1: "configs" is a map of names/],
  ["sources: [debian:6.12]\nconfig: {}\n", /:2:9: There is no key "config" here/],
  ["sources: [debian:6.12]\nconfigs:\n  a: { feature: [net] }\n", /:3:17: There is no key "feature" here/],
  ["sources: [debian:6.12]\narch: [x86_64, mips]\nconfigs: { a: {} }\n", /:2:16: "mips" is none of x86_64/],
  ["sources: []\nconfigs: { a: {} }\n", /:1:10: There is nothing in this list/],
  ["sources: [debian:6.12]\nconfigs: { a: 7 }\n", /:2:15: A map is expected here/],
  ["sources: [debian:6.12]\nconfigs:\n  a: { set: { HZ: [1] } }\n", /:3:19: A word is expected here/],
  ["sources: [debian:6.12]\nconfigs:\n  a:\n    set: { HZ: }\n", /:4:16: A word is expected here/],
  ["sources: [debian:6.12]\nconfigs: { a: { default-features: no } }\n", /:2:35: It is true or false/],
  ["sources: [debian:6.12]\nconfigs: { a: {} }\nexclude: [x]\n", /:3:11: A map is expected here/],
  [
    "sources: [debian:6.12, { source: debian:6.12 }]\nconfigs: { a: {} }\n",
    /:1:24: Two sources are called "debian-6\.12"/,
  ],
  [
    "sources: [{ source: debian:6.12, name: a/b }]\nconfigs: { a: {} }\n",
    /:1:40: This cannot be part of a file's name/,
  ],
  ["sources: [nothing-here]\nconfigs: { a: {} }\n", /:1:11: "nothing-here" is no source/],
  ["sources: [debian:6.12]\nconfigs: { a/b: {} }\n", /"a\/b" cannot be part of a file's name/],
  [
    "sources: [debian:6.12]\nconfigs: { a: {} }\nexclude: [{ config: b }]\n",
    /:3:21: No config of this matrix is "b"/,
  ],
])("what is wrong with a matrix is told with its place: %j", async (text, message) => {
  await expect(readMatrix(await write(text))).rejects.toMatchObject({
    code: "KERNEL_MATRIX",
    message: expect.stringMatching(message) as string,
  });
});
