import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildKernel, buildMatrix, readMatrix } from "../src/index.ts";
import { MODULAR_KERNEL } from "./support/built-kernel.ts";
import { kbuild } from "./support/kbuild.ts";
import { scratchDirectory } from "./support/real-source.ts";

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
  refused: { set: { EXT4_FS: y } }
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
      'debian-6.12_x86_64_gcc_unknown failed There is no feature "virtio-nte"',
      expect.stringMatching(/^debian-6\.12_x86_64_gcc_refused failed .*"EXT4_FS"/),
      expect.stringMatching(/^debian-6\.12_riscv64_gcc_refused failed .*"EXT4_FS"/),
      "",
    ]);
    expect(err).toContain('hint: Did you mean "virtio-net"?');
    expect(err).toContain(`wanted by ${file}, configs.refused`);
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

test.each([
  ["sources: [a\n", /:2:1: /],
  ["- a\n", /:1:1: A matrix is a map/],
  ["configs: { a: {} }\n", /:1:1: There are no "sources"/],
  ["sources: [debian:6.12]\n", /:1:1: "configs" is a map of names/],
  ["sources: [debian:6.12]\nconfig: {}\n", /:2:9: There is no key "config" here/],
  ["sources: [debian:6.12]\nconfigs:\n  a: { feature: [net] }\n", /:3:17: There is no key "feature" here/],
  ["sources: [debian:6.12]\narch: [x86_64, mips]\nconfigs: { a: {} }\n", /:2:16: "mips" is none of x86_64/],
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
