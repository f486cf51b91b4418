import { expect, test } from "vitest";
import { buildConf } from "../reference/c-conf.ts";
import { kernelTree } from "../reference/kernel-tree.ts";
import type { KernelSeries } from "../reference/kernel-tree.ts";
import { referenceOf } from "../reference/parity.ts";
import { fuzz } from "./fuzz.ts";

const CASES = 300;
// The same each time, so that a failure is of a change; run-fuzz.ts takes any other.
const SEED = Number(process.env["FUZZ_SEED"] ?? 99);

test.for<KernelSeries>(["6.1", "6.12"])(
  "generated trees are as in C of %s",
  { timeout: 300_000 },
  (series) => {
    const tree = kernelTree(series).directory;
    const reports: string[] = [];
    const total = fuzz(referenceOf(tree, buildConf(tree)), {
      seed: SEED,
      indexes: { first: 0, step: 1, end: CASES },
      stop: 1,
      report: (text) => reports.push(text),
    });
    expect(reports).toEqual([]);
    expect(total.cases).toBe(CASES);
    // C crashes on some, and asks for ever on others.
    expect(total.withoutVerdict).toBeLessThan(CASES / 5);
  },
);

test("a case in which C prints memory that it had freed has no verdict", { timeout: 120_000 }, () => {
  const tree = kernelTree("6.12").directory;
  const reports: string[] = [];
  const total = fuzz(referenceOf(tree, buildConf(tree)), {
    // Its input has "0" for a number that was 5, then "?" for one that has it in its range: "Range : [ff D [=…]]".
    seed: 2611264,
    indexes: { first: 19_036, step: 1, end: 19_037 },
    stop: 1,
    report: (text) => reports.push(text),
  });
  expect(reports).toEqual([]);
  expect(total).toEqual({ cases: 1, differences: 0, withoutVerdict: 1 });
});
