/**
 * Reads the Kbuild files of whole trees and compares with make and with real builds:
 *
 *     node packages/kernel/test/kbuild/run-kbuild.ts [ARCH:SERIES…]
 *
 * For each tree (default: x86_64, arm64 and riscv64 of 6.12, x86_64 of 6.1): the objects under the tree's defconfig and,
 * on x86_64, under Debian's configuration for PCs, beside those that make plans; every module of Debian's kernel; every
 * object file in the build directories of the cache.
 */
import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Arch } from "../../src/arch.ts";
import { configurePlan, planConfiguration } from "../../src/configure.ts";
import { distroKernel, fetchSource, readKbuild, resolveSource, underConfiguration } from "../../src/index.ts";
import { buildDirectories } from "../support/built-kernel.ts";
import { classify, compareWithMake, modulesOf, objectsOf, valuesOf } from "../support/kbuild-check.ts";

/** Debian's kernels for PCs whose sources are those of the series. */
const PC_KERNELS: Readonly<Record<string, string>> = {
  "6.1": "linux-image-amd64",
  "6.12": "linux-image-6.12-amd64",
};

const scratch = await mkdtemp(join(tmpdir(), "kbuild-"));
let wrong = 0;

async function compare(name: string, tree: string, config: string, arch: Arch): Promise<void> {
  const directory = await mkdtemp(join(scratch, "plan-"));
  const started = performance.now();
  const { make, missing, extra, open, tree: read } = await compareWithMake(tree, config, arch, directory);
  wrong += missing.length + extra.length;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${name}: ${make.size} objects by make, ${missing.length} missing, ${extra.length} too many, ${open.length} open; ${seconds} s with make`,
  );
  for (const path of [...missing, ...extra, ...open].slice(0, 20)) console.log(`    ${path}`);
  for (const { file, line, text } of read.notRead) console.log(`    not read: ${file}:${line} ${text}`);
}

async function debian(name: string, tree: string): Promise<void> {
  const series = name.split(":")[1] ?? "";
  const kernel = await distroKernel({ package: PC_KERNELS[series] });
  const config = await readFile(kernel.config, "utf8");
  await compare(`${name}, ${kernel.release}`, tree, config, "x86_64");
  const kbuild = await readKbuild(tree, "x86");
  const built = underConfiguration(kbuild, valuesOf(config));
  for (const [index, as] of [
    ["modules.order", "m"],
    ["modules.builtin", "y"],
  ] as const) {
    const modules = await modulesOf(kernel.modules ?? "", index);
    const right = modules.filter((path) => built.builtAs(path) === as);
    const named = right.filter((path) => built.optionsOf(path).length > 0);
    wrong += modules.length - right.length;
    console.log(
      `${name}, ${index}: ${right.length} of ${modules.length} built as ${as}, ${named.length} with a symbol`,
    );
    for (const path of modules.filter((one) => !named.includes(one)).slice(0, 20)) console.log(`    ${path}`);
  }
}

try {
  const wanted = process.argv.slice(2);
  const all = wanted.length > 0 ? wanted : ["x86_64:6.12", "arm64:6.12", "riscv64:6.12", "x86_64:6.1"];
  for (const name of all) {
    const [arch, series = "6.12"] = name.split(":") as [Arch, string?];
    const source = { kind: "debian", series } as const;
    const tree = await fetchSource(await resolveSource(source));
    const plan = await planConfiguration({ source, arch, base: "defconfig", features: [] }, {});
    await compare(`${name}, defconfig`, tree, (await configurePlan(plan, {})).text, arch);
    if (arch === "x86_64") await debian(name, tree);
  }
  for (const directory of await buildDirectories()) {
    const kbuild = await readKbuild(await readlink(join(directory, "source")), "x86");
    const built = underConfiguration(kbuild, valuesOf(await readFile(join(directory, ".config"), "utf8")));
    const files = await objectsOf(directory);
    const { symbol, always, other, rule, unknown } = classify(kbuild, built, files);
    wrong += unknown.length;
    console.log(
      `${basename(directory)}: ${files.length} files, ${symbol.length} with symbols, ${always.length} of every kernel, ${other.length} in lists for rules of their own, ${rule.length} by the link's rules, ${unknown.length} not found ${unknown.join(" ")}`,
    );
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
process.exitCode = wrong === 0 ? 0 : 1;
