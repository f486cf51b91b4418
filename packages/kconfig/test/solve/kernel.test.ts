import { beforeAll, describe, expect, test } from "vitest";
import { countSymbols, requestsOf, solve, valueOf } from "../../src/index.ts";
import { buildConf } from "../reference/c-conf.ts";
import { loadKernelTree } from "../reference/loaded-tree.ts";
import { runCases } from "./cases.ts";
import { minimizeCase } from "./minimize-case.ts";
import { FIFTEEN } from "./fifteen.ts";
import { faultsOf } from "./verify.ts";
import type { Judge } from "./verify.ts";

// run-solve.ts takes more, of both architectures and series.
const SETS = 5;

describe.each([
  ["6.1", "x86_64", "arch/x86/configs/x86_64_defconfig"],
  ["6.12", "arm64", "arch/arm64/configs/defconfig"],
] as const)("Linux %s, %s", (series, arch, defconfig) => {
  let judge: Judge;
  beforeAll(async () => {
    const loaded = await loadKernelTree(series, arch);
    judge = { loaded, conf: buildConf(loaded.directory) };
  }, 300_000);

  test("requirements drawn at random are met for C, or their core is one", { timeout: 300_000 }, async () => {
    const kinds = { solved: 0, unsolvable: 0 };
    for await (const { number, faults, result } of runCases(judge, SETS, 20261127)) {
      expect(faults, `set ${number}`).toEqual([]);
      kinds[result.kind]++;
    }
    expect(kinds.solved).toBeGreaterThan(0);
    expect(kinds.unsolvable).toBeGreaterThan(0);
  });

  test(`${defconfig} in as few lines as can be is the same .config for C`, { timeout: 300_000 }, () => {
    const { lines, saved, faults } = minimizeCase(judge, defconfig);
    expect(faults).toEqual([]);
    expect(lines).toBeLessThanOrEqual(saved);
  });
});

test("fifteen wants on Linux 6.1 take no more than 405 options", { timeout: 300_000 }, async () => {
  const loaded = await loadKernelTree("6.1", "x86_64");
  const wants = requestsOf(Object.fromEntries(FIFTEEN.map((symbol) => [symbol, valueOf("y")])), "test");
  const found = await solve(loaded.tree, wants);
  if (found.kind === "unsolvable") throw new Error("they can be met");
  expect(faultsOf(found, wants, { loaded, conf: buildConf(loaded.directory) })).toEqual([]);
  const { y, m } = countSymbols(found.config);
  expect(y + m).toBeLessThanOrEqual(405);
  expect(found.bound).toBe(found.weight);
});
