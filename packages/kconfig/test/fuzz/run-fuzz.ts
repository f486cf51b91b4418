/**
 * Compares our conf with a tree's own on generated trees and configurations:
 *
 *   node packages/kconfig/test/fuzz/run-fuzz.ts --generation 1|2|3 --tree DIR --cases N --seed S [--jobs N] [--only CASE] [--stop N]
 *
 * DIR has scripts/kconfig of the generation: 1 is Linux up to 6.8, 2 from 6.9 to 6.17, 3 since 6.18. Each difference is
 * shrunk and printed with both outputs, and the command ends with "N cases, D differences, U without verdict"; a case is
 * without verdict when C crashes or does not end in one of its runs, or prints what lay in memory that it had freed. `--only` runs one case of the seed; after `--stop`
 * differences (10) in one process it gives up.
 */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { buildConf } from "../reference/c-conf.ts";
import { referenceOf } from "../reference/parity.ts";
import { fuzz } from "./fuzz.ts";
import type { Generation } from "./symbols.ts";

const { values } = parseArgs({
  options: {
    generation: { type: "string", default: "2" },
    tree: { type: "string", default: "" },
    cases: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    jobs: { type: "string", default: String(availableParallelism()) },
    only: { type: "string" },
    stop: { type: "string", default: "10" },
    share: { type: "string" },
  },
});
const generation = Number(values.generation) as Generation;
const seed = Number(values.seed);

if (values.only !== undefined) {
  const one = Number(values.only);
  runShare(one, 1, one + 1);
} else if (values.share === undefined) process.exitCode = await runShares(Number(values.jobs));
else {
  const [index = 0, count = 1] = values.share.split("/").map(Number);
  runShare(index, count, Number(values.cases));
}

function runShare(first: number, step: number, end: number): void {
  const reference = referenceOf(values.tree, buildConf(values.tree));
  if (reference.dialect.generation !== generation) {
    throw new Error(`The tree is of generation ${reference.dialect.generation}`);
  }
  const indexes = { first, step, end };
  const total = fuzz(reference, {
    seed,
    indexes,
    stop: Number(values.stop),
    report: (text) => console.log(text),
    progress,
  });
  process.stderr.write(`total ${JSON.stringify(total)}\n`);
}

function progress(done: number, differences: number, without: number): void {
  process.stderr.write(`progress ${done} ${differences} ${without}\n`);
}

// Each process has a share of the cases.
async function runShares(count: number): Promise<number> {
  buildConf(values.tree);
  const started = Date.now();
  const sums = Array.from({ length: count }, () => [0, 0, 0]);
  const sum = (column: number): number => sums.reduce((all, row) => all + (row[column] ?? 0), 0);
  let told = 0;
  const codes = await Promise.all(
    sums.map((row, index) => {
      // Much garbage, all of it short-lived.
      const args = [
        "--max-semi-space-size=64",
        import.meta.filename,
        ...process.argv.slice(2),
        `--share=${index}/${count}`,
      ];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "pipe"] });
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
        for (const line of chunk.split("\n")) {
          const numbers = /^progress (\d+) (\d+) (\d+)$/.exec(line);
          if (numbers === null) {
            if (line !== "" && !line.startsWith("total ")) console.error(line);
            continue;
          }
          for (let column = 0; column < 3; column++) row[column] = Number(numbers[column + 1]);
          const seconds = (Date.now() - started) / 1000;
          if (seconds < told + 10) continue;
          told = seconds;
          console.error(
            `${sum(0)} cases, ${sum(1)} differences, ${sum(2)} without verdict, ${Math.round(seconds)} s`,
          );
        }
      });
      return new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
    }),
  );
  const seconds = Math.round((Date.now() - started) / 1000);
  console.error(`generation ${generation}, seed ${seed}, ${seconds} s`);
  console.log(`${sum(0)} cases, ${sum(1)} differences, ${sum(2)} without verdict`);
  return sum(1) > 0 || codes.some((code) => code !== 0) ? 1 : 0;
}
