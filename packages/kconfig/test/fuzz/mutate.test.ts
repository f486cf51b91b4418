import { expect, test } from "vitest";
import { kernelTree } from "../reference/kernel-tree.ts";
import { faultOf, mutatedCase, realFiles } from "./mutate.ts";

const CASES = 2000;
// The same each time, so that a change is judged by what it changes; run-mutate.ts takes others.
const SEED = Number(process.env["FUZZ_SEED"] ?? 894_947);

test(
  "damaged files end with an exit status, soon, and with errors that name a place",
  { timeout: 300_000 },
  () => {
    const real = realFiles(kernelTree("6.12").directory);
    const faults: string[] = [];
    for (let index = 0; index < CASES; index++) {
      const fault = faultOf(mutatedCase(SEED, index, real));
      if (fault !== undefined) faults.push(`seed ${SEED}, case ${index}: ${fault}`);
    }
    expect(faults).toEqual([]);
  },
);

test("nesting beyond all reason is an error with a place", () => {
  const deep = (open: string, close: string): string =>
    `${`${open}\n`.repeat(5000)}${`${close}\n`.repeat(5000)}`;
  const chain = Array.from({ length: 10_000 }, (_, one) => `config S${one}\n\tdef_bool S${one + 1}\n`).join(
    "",
  );
  for (const text of [
    deep("if y", "endif"),
    deep('menu "m"', "endmenu"),
    `config A\n\tbool\n\tdepends on ${"(".repeat(5000)}y${")".repeat(5000)}\n`,
    `config A\n\tbool\n\tdepends on ${"!".repeat(5000)}y\n`,
    `config A\n\tbool "a"\n\tdepends on ${"A && ".repeat(10_000)}y\n`,
    chain,
  ]) {
    for (const generation of [1, 2, 3] as const) {
      const one = { generation, args: ["--alldefconfig", "Kconfig"], files: { Kconfig: text }, input: "" };
      expect(faultOf(one)).toBeUndefined();
    }
  }
});

test("a file that begins itself in its last line, which has no newline, is an error where C never ends", () => {
  for (const generation of [1, 2, 3] as const) {
    const files = { Kconfig: 'source "A"\n', A: 'config X\n\tbool\nsource "B"', B: 'source "A"' };
    const one = { generation, args: ["--alldefconfig", "Kconfig"], files, input: "" };
    expect(faultOf(one)).toBeUndefined();
  }
});
