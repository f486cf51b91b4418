import { expect, test } from "vitest";
import { buildConf } from "../reference/c-conf.ts";
import { kernelTree } from "../reference/kernel-tree.ts";
import type { KernelSeries } from "../reference/kernel-tree.ts";
import { referenceOf } from "../reference/parity.ts";
import { fuzz } from "./fuzz.ts";

const CASES = 300;
// The same each time, since one case of 50,000 makes C print memory that it had freed; run-fuzz.ts takes any other.
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
