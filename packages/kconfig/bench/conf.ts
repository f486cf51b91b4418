/**
 * olddefconfig of x86_64_defconfig on Linux 6.12, whole processes side by side: C's conf with its compiler probes and
 * with their answers kept, ours with nothing kept and with all, and Kconfiglib when it is given. Then what a loaded
 * tree takes. Smallest of several runs, in turn; the ratios are what counts.
 *
 *   pnpm -C packages/kconfig build && node packages/kconfig/bench/conf.ts [--runs 5] [--kconfiglib DIR]
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { loadKconfig, recordAnswers } from "../src/index.ts";
import type { KconfigTree, TreeHost } from "../src/index.ts";
import { nodeHost } from "../src/node/index.ts";
import { startShellPool } from "../src/node/shell-pool.ts";
import { architectures, confEnvironment } from "../test/reference/architectures.ts";
import { buildConf } from "../test/reference/c-conf.ts";
import { kernelTree } from "../test/reference/kernel-tree.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, kconfiglib: { type: "string" } },
});
const runs = Number(values.runs);
const tree = kernelTree("6.12").directory;
const conf = buildConf(tree);
const x86 = architectures(tree).find(({ arch }) => arch === "x86_64");
if (x86 === undefined) throw new Error("no x86_64");
const env = confEnvironment(tree, x86);
const scratch = mkdtempSync(join(tmpdir(), "kconfig-bench-"));
const cli = join(import.meta.dirname, "../dist/cli.js");
const defconfig = join(tree, "arch/x86/configs/x86_64_defconfig");

interface Contender {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** What it is not to find. */
  readonly without?: string;
}

const ALONE = "the probes alone";
const OLD = ["-s", "--olddefconfig", "Kconfig"] as const;
const answers = join(scratch, "answers");
const popen = join(scratch, "popen");
const contenders: Contender[] = [
  { name: "C", command: [conf.program, ...OLD] },
  {
    name: "C, answers kept",
    command: [conf.program, ...OLD],
    env: { LD_PRELOAD: conf.popenCache, KCONFIG_POPEN_CACHE: popen },
  },
  {
    name: "ours, nothing kept",
    command: [process.execPath, cli, "conf", ...OLD],
    env: { KCONFIG_ANSWERS: "" },
  },
  {
    name: "ours, answers kept",
    command: [process.execPath, cli, "conf", ...OLD],
    env: { KCONFIG_ANSWERS: answers },
    without: join(answers, "trees"),
  },
  {
    name: "ours, all kept",
    command: [process.execPath, cli, "conf", ...OLD],
    env: { KCONFIG_ANSWERS: answers },
  },
];
if (values.kconfiglib !== undefined) {
  const command = ["python3", join(import.meta.dirname, "peer.py")] as const;
  const env = { PYTHONPATH: values.kconfiglib };
  contenders.push(
    { name: "Kconfiglib", command, env },
    { name: "Kconfiglib, answers kept", command, env: { ...env, ANSWERS: join(scratch, "pickled") } },
  );
}

const toolEnv = { PATH: process.env["PATH"] ?? "", HOME: scratch, ...env };
using host = nodeHost({ env: toolEnv, answers });
const recorder = recordAnswers(host, { srctree: tree });
await loadKconfig({ srctree: tree, host: recorder.host });
const probes = Object.keys(recorder.answers().commands)
  .filter((command) => /^\{.* gcc /.test(command) && !command.includes("\n"))
  .map((command) => command.replaceAll("$(srctree)", tree));

/** The compiler's runs alone, as many at a time as there are processors: no way of asking them can take less. */
async function probesAlone(): Promise<number> {
  const started = performance.now();
  const pool = startShellPool({ env: toolEnv, cwd: scratch });
  await Promise.all(probes.map((command) => pool.run(command)));
  pool.close();
  return performance.now() - started;
}

const best = new Map<string, number>();
const outputs = new Map<string, string>();
let peerLoad = Number.POSITIVE_INFINITY;
mkdirSync(popen);
for (let round = 0; round <= runs; round++) {
  for (const one of contenders) {
    const cwd = join(scratch, "run");
    rmSync(cwd, { recursive: true, force: true });
    mkdirSync(cwd);
    cpSync(defconfig, join(cwd, ".config"));
    if (one.without !== undefined) rmSync(one.without, { recursive: true, force: true });
    const started = performance.now();
    const { status, stdout, stderr } = spawnSync(one.command[0], one.command.slice(1), {
      cwd,
      env: { ...toolEnv, ...one.env },
      encoding: "utf8",
    });
    const took = performance.now() - started;
    if (status !== 0) throw new Error(`${one.name} failed: ${stderr}`);
    outputs.set(one.name, readFileSync(join(cwd, ".config"), "latin1"));
    // The first round fills what is kept.
    if (one.name === "Kconfiglib, answers kept") peerLoad = Math.min(peerLoad, Number(stdout));
    if (round > 0) best.set(one.name, Math.min(took, best.get(one.name) ?? Number.POSITIVE_INFINITY));
  }
  const alone = await probesAlone();
  if (round > 0) best.set(ALONE, Math.min(alone, best.get(ALONE) ?? Number.POSITIVE_INFINITY));
}
const milliseconds = (name: string): number => best.get(name) ?? Number.NaN;
console.log("whole process, olddefconfig of x86_64_defconfig, Linux 6.12:");
for (const { name } of contenders) {
  const same = outputs.get(name) === outputs.get("C") ? "same .config as C" : "another .config than C";
  console.log(`  ${name.padEnd(24)} ${milliseconds(name).toFixed(0).padStart(6)} ms   ${same}`);
}
const ratio = (one: string, other: string): string => (milliseconds(one) / milliseconds(other)).toFixed(2);
console.log(
  `  ${probes.length} runs of the compiler alone, side by side: ${milliseconds(ALONE).toFixed(0)} ms, ${ratio(ALONE, "C")} of C`,
);
console.log(`  nothing kept / C               ${ratio("ours, nothing kept", "C")}`);
console.log(`  all kept / C                   ${ratio("ours, all kept", "C")}`);
console.log(`  all kept / C with answers kept ${ratio("ours, all kept", "C, answers kept")}`);
if (values.kconfiglib !== undefined)
  console.log(
    `  Kconfiglib with answers kept / all kept ${ratio("Kconfiglib, answers kept", "ours, all kept")}`,
  );

const load = async (from: TreeHost): Promise<[KconfigTree, number]> => {
  const started = performance.now();
  return [await loadKconfig({ srctree: tree, host: from }), performance.now() - started];
};
const [loaded] = await load(host);
console.log("loaded process:");
const folder = join(tree, "arch/x86/configs");
const configs = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
const writes: number[] = [];
for (let round = 0; round < 5 * runs; round++) {
  const from = performance.now();
  loaded.load(configs[round % configs.length] as string);
  loaded.configText();
  writes.push(performance.now() - from);
}
console.log(`  load and write a defconfig    ${median(writes).toFixed(1)} ms at the median`);
loaded.load(readFileSync(defconfig, "utf8"));
const changeable = loaded.names.filter((name) => (loaded.symbol(name)?.assignable.length ?? 0) > 1);
loaded.set(changeable[0] as string, "n");
const changes: number[] = [];
for (const name of changeable) {
  const symbol = loaded.symbol(name);
  const other = symbol?.assignable.find((value) => value !== symbol.value);
  if (symbol === undefined || other === undefined) continue;
  for (const value of [other, symbol.value]) {
    const from = performance.now();
    loaded.set(name, value);
    changes.push(performance.now() - from);
  }
}
console.log(
  `  change one symbol             ${median(changes).toFixed(3)} ms at the median of ${changes.length}`,
);
console.log(`  memory                        ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
// A host made of another one keeps no trees.
const [, kept] = await load(host);
const [, parsed] = await load({ ...host });
console.log(`  load, tree kept               ${kept.toFixed(0)} ms`);
console.log(`  load, answers kept            ${parsed.toFixed(0)} ms`);
if (values.kconfiglib !== undefined) {
  console.log(`  Kconfiglib's, answers kept    ${peerLoad.toFixed(0)} ms`);
  console.log(`  Kconfiglib / tree kept        ${(peerLoad / kept).toFixed(2)}`);
}
rmSync(scratch, { recursive: true, force: true });

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}
