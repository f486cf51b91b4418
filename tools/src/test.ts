/**
 * Runs every check and test of the repository, one step after the other, and sums them in a last line
 * `N passed, N failed`. Names of steps as arguments run only those: `tools/test lint unit`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** What took longest, for whoever wants the gate faster. */
  readonly slowest?: readonly string[];
}

/** What is read of vitest's report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

interface Step {
  readonly name: string;
  readonly run: () => Counts;
}

const results = mkdtempSync(join(tmpdir(), "justenough-test-"));

function status(command: readonly string[], env: NodeJS.ProcessEnv = {}): number {
  const [program = "", ...args] = command;
  const child = spawnSync(program, args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  if (child.error) console.error(`error: Cannot run "${program}": ${child.error.message}`);
  return child.status ?? 1;
}

/** A tool that has one verdict counts as one test. */
function verdict(...command: string[]): () => Counts {
  return () => (status(command) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });
}

/** Counts the single tests of a vitest run; a run that died before it could count is one failure. */
function vitest(name: string, ...args: string[]): () => Counts {
  return () => {
    const file = join(results, `${name}.json`);
    const code = status(
      ["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`, ...args],
      {
        NO_COLOR: "1",
        FORCE_COLOR: "0",
      },
    );
    try {
      const json = JSON.parse(readFileSync(file, "utf8")) as Report;
      const failed = json.numFailedTests + (code !== 0 && json.numFailedTests === 0 ? 1 : 0);
      return { passed: json.numPassedTests, failed, slowest: slowestOf(json) };
    } catch {
      return { passed: 0, failed: 1 };
    }
  };
}

function slowestOf({ testResults }: Report): readonly string[] {
  const times = testResults.map(({ name, startTime, endTime }) => ({ name, ms: endTime - startTime }));
  const root = join(import.meta.dirname, "../..");
  return times
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, 8)
    .map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(8)} s  ${relative(root, name)}`);
}

const steps: readonly Step[] = [
  { name: "format", run: verdict("oxfmt", "--check", ".") },
  { name: "lint", run: verdict("oxlint", "--type-aware", "--deny-warnings") },
  { name: "workspace", run: verdict("sherif") },
  { name: "unused", run: verdict("knip") },
  { name: "types", run: verdict("nx", "run-many", "-t", "typecheck") },
  { name: "build", run: verdict("nx", "run-many", "-t", "build") },
  { name: "unit", run: vitest("unit") },
  { name: "packed", run: vitest("packed", "--root", "e2e", "--project", "packed") },
  { name: "e2e", run: vitest("e2e", "--root", "e2e", "--project", "boots", "--project", "pairs") },
];

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

process.env["PATH"] = `${join(import.meta.dirname, "../../node_modules/.bin")}:${process.env["PATH"]}`;
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`error: Unknown step "${unknown.join(" ")}"`);
  console.error(`hint: the steps are ${steps.map((step) => step.name).join(", ")}`);
  process.exit(2);
}

const start = performance.now();
let passed = 0;
let failed = 0;
const summary: string[] = [];
for (const step of steps.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const begin = performance.now();
  console.log(`\n== ${step.name}`);
  const counts = step.run();
  passed += counts.passed;
  failed += counts.failed;
  summary.push(`${step.name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds(begin)}`);
  summary.push(...(counts.slowest ?? []));
}
rmSync(results, { recursive: true, force: true });
console.log(`\n${summary.map((line) => `  ${line}`).join("\n")}\n  total ${seconds(start)}\n`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
