/**
 * Requirements drawn at random, solved and checked, as a command:
 *
 *   node packages/kconfig/test/solve/run-solve.ts [--count 1000] [--seed N] [--tree 6.1:arm64]… [--verbose]
 *
 * Each configuration is read by the tree's own conf, which may change nothing and has to find every requirement met. Of each
 * core the parts have to be solvable, by the same measure, and nothing may be found that meets all of it.
 */
import { parseArgs } from "node:util";
import { writeValue } from "../../src/index.ts";
import { buildConf } from "../reference/c-conf.ts";
import { loadKernelTree } from "../reference/loaded-tree.ts";
import type { KernelSeries } from "../reference/kernel-tree.ts";
import { runCases } from "./cases.ts";

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "20261127" },
    tree: { type: "string", multiple: true },
    verbose: { type: "boolean", default: false },
  },
});

const trees = values.tree ?? ["6.1:x86_64", "6.1:arm64", "6.12:x86_64", "6.12:arm64"];
let wrong = 0;
let done = 0;
const times: number[] = [];
for (const [index, name] of trees.entries()) {
  const [series, arch] = name.split(":") as [KernelSeries, "x86_64" | "arm64"];
  const count = Math.floor((Number(values.count) + index) / trees.length);
  const loaded = await loadKernelTree(series, arch);
  const judge = { loaded, conf: buildConf(loaded.directory) };
  const totals = { solved: 0, least: 0, unsolvable: 0 };
  const own: number[] = [];
  for await (const one of runCases(judge, count, Number(values.seed))) {
    const { result, requirements, milliseconds, faults, number } = one;
    own.push(milliseconds);
    if (result.kind === "unsolvable") totals.unsolvable++;
    else {
      totals.solved++;
      if (result.weight === result.bound) totals.least++;
    }
    const asked = requirements.map(({ symbol, value }) => `${symbol}=${writeValue(value)}`).join(" ");
    if (faults.length > 0) {
      wrong++;
      console.log(`${name} ${number}: ${asked}\n  ${faults.join("\n  ")}`);
    }
    if (!values.verbose) continue;
    const told =
      result.kind === "solved"
        ? `weight ${result.weight}, at least ${result.bound}`
        : `${result.core.map(({ symbol }) => symbol).join(" ")}: ${result.reasons.map(({ text }) => text).join("; ")}`;
    console.log(`${name} ${number}: ${asked}: ${told} (${milliseconds.toFixed(0)} ms)`);
  }
  done += own.length;
  times.push(...own);
  console.log(
    `${name}: ${own.length} sets, ${totals.solved} solved (${totals.least} proved least), ${totals.unsolvable} cores; ${spread(own)}`,
  );
}
console.log(`${done} sets, ${wrong} wrong; ${spread(times)}`);
process.exitCode = wrong > 0 ? 1 : 0;

function spread(all: readonly number[]): string {
  const sorted = [...all].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(0);
  return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(1)} ms`;
}
