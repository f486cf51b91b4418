import { beforeAll, describe, expect, test } from "vitest";
import { architectures } from "./reference/architectures.ts";
import { buildConf } from "./reference/c-conf.ts";
import { kernelTree } from "./reference/kernel-tree.ts";
import type { KernelSeries } from "./reference/kernel-tree.ts";
import { casesOf, differences, referenceOf } from "./reference/parity.ts";
import type { Reference } from "./reference/parity.ts";

// The cases that found most when the engine was young: choices with defaults (sh), symbols of many definitions and
// implied ones (powerpc), big choices (arm), modules everywhere, numbers out of range, and random values.
// run-parity.ts does all.
const CASES: Readonly<Record<KernelSeries, readonly (readonly [arch: string, name: string])[]>> = {
  "6.1": [
    ["x86_64", "arch/x86/configs/x86_64_defconfig"],
    ["sh", "arch/sh/configs/se7206_defconfig"],
    ["powerpc", "arch/powerpc/configs/85xx/tqm8560_defconfig"],
    ["arm", "allmodconfig"],
    ["m68k", "randconfig 0x2a"],
    ["um", "allyesconfig"],
  ],
  "6.12": [
    ["x86_64", "arch/x86/configs/x86_64_defconfig"],
    ["sh", "arch/sh/configs/migor_defconfig"],
    ["powerpc", "arch/powerpc/configs/ppc64_defconfig"],
    ["riscv", "tinyconfig"],
    ["arm64", "randconfig 1"],
    ["sparc32", "alldefconfig"],
  ],
};

describe.each(["6.1", "6.12"] as const)("Linux %s", (series) => {
  let reference: Reference;
  beforeAll(() => {
    const { directory } = kernelTree(series);
    reference = referenceOf(directory, buildConf(directory));
  }, 300_000);

  test.each(CASES[series])("%s, %s: ours is C's to the byte", { timeout: 300_000 }, (arch, name) => {
    const architecture = architectures(reference.tree).find((one) => one.arch === arch);
    const found = architecture && casesOf(reference.tree, architecture).find((one) => one.name === name);
    if (architecture === undefined || found === undefined) throw new Error(`no ${arch} ${name}`);
    expect(differences(reference, architecture, found)).toEqual([]);
  });
});
