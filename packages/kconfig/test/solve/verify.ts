/** Whether a result of solve() is what it says: a configuration by C, a core by all that could refute it. */
import { explain, parseConfig, proveConfig, solve } from "../../src/index.ts";
import type { ConfigRequest, KconfigTree, Solved, Unsolvable } from "../../src/index.ts";
import { EVEN_CHANCES, setNewSymbols } from "../../src/conf/new-symbols.ts";
import type { NewValues } from "../../src/conf/new-symbols.ts";
import { readValues } from "../../src/engine/read.ts";
import { encode } from "../../src/internal/symbol-view.ts";
import { printRequests } from "../../src/resolve.ts";
import { engineOf } from "../../src/tree.ts";
import { Random } from "../fuzz/random.ts";
import type { CConf } from "../reference/c-conf.ts";
import type { LoadedKernelTree } from "../reference/loaded-tree.ts";
import { runInDirectory } from "../reference/parity.ts";

export interface Judge {
  readonly loaded: LoadedKernelTree;
  readonly conf: CConf;
}

/** What is wrong with a configuration: C changes it, or a requirement is not met after C read it. */
export function faultsOf(
  { text }: Solved,
  requirements: readonly ConfigRequest[],
  judge: Judge,
): readonly string[] {
  const { env, answers } = judge.loaded;
  const run = runInDirectory(
    judge.conf,
    ["--olddefconfig", "Kconfig"],
    env,
    { ".config": bytes(text) },
    { answers },
  );
  const faults: string[] = [];
  if (run.status !== 0) faults.push(`C ends with ${run.status}: ${run.stderr}`);
  const after = run.files[".config"] ?? "";
  if (after !== bytes(text)) faults.push(`C changes the file: ${firstDifference(bytes(text), after)}`);
  for (const { symbol, actual } of proveConfig(
    requirements,
    parseConfig(Buffer.from(after, "latin1").toString("utf8")),
  )) {
    faults.push(`${symbol} is ${actual?.text ?? "not there"} for C`);
  }
  return faults;
}

/** What is wrong with a core: a part of it that cannot be met, or a configuration in which all of it is. */
export async function coreFaults(
  { core, reasons }: Unsolvable,
  judge: Judge,
  seed: number,
): Promise<readonly string[]> {
  const { tree } = judge.loaded;
  const faults: string[] = [];
  if (reasons.length === 0) faults.push("there are no words for it");
  for (const left of core) {
    const others = core.filter((one) => one !== left);
    if (others.length === 0) continue;
    const solved = await solve(tree, others);
    if (solved.kind === "unsolvable") faults.push(`it cannot be met without ${left.symbol} either`);
    else faults.push(...faultsOf(solved, others, judge).map((fault) => `without ${left.symbol}: ${fault}`));
    if (reach(left, tree) && meets(core, tree)) faults.push(`setting ${left.symbol} last meets it`);
  }
  for (const start of ["no", "default", "yes", "mod", "random", "random", "random"] as const) {
    fill(core, start, tree, new Random(seed + start.length));
    if (meets(core, tree)) faults.push(`it is met by ${start}`);
  }
  return faults;
}

// As conf fills up the core, with new symbols at their defaults or another value.
function fill(core: readonly ConfigRequest[], values: NewValues, tree: KconfigTree, random: Random): void {
  tree.reset();
  const engine = engineOf(tree);
  readValues(encode(printRequests(core)), engine, { file: "core", prefix: "CONFIG_" });
  setNewSymbols(engine, { values, chances: EVEN_CHANCES, random: () => random.word() >>> 1 });
}

// Gives a symbol its value by the settings that explain() finds, which knows nothing of clauses.
function reach({ symbol, value }: ConfigRequest, tree: KconfigTree): boolean {
  for (const setting of explain(tree, symbol, value.text).requires ?? []) {
    if (setting.settable) tree.set(setting.symbol, setting.value);
  }
  return tree.set(symbol, value.text);
}

function meets(core: readonly ConfigRequest[], tree: KconfigTree): boolean {
  return core.every(({ symbol: name, value }) => {
    const symbol = tree.symbol(name);
    // A number or string that is not in the file is not there.
    if (symbol === undefined || (!symbol.written && value.kind !== "tristate")) return value.text === "n";
    return symbol.value === value.text;
  });
}

function firstDifference(one: string, two: string): string {
  const [left, right] = [one.split("\n"), two.split("\n")];
  const at = left.findIndex((line, index) => line !== right[index]);
  return `${left[at] ?? ""} becomes ${right[at] ?? ""}`;
}

function bytes(text: string): string {
  return encode(text);
}
