/** A case: a tree, what lies beside it, and runs of conf one after another in the same directory. */
import { generateTree } from "./generate.ts";
import { answerLines, configLines } from "./inputs.ts";
import { ENVIRONMENT } from "./macros.ts";
import { Random, caseSeed } from "./random.ts";
import type { Generation } from "./symbols.ts";

export interface Step {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Lines of standard input. */
  readonly input: readonly string[];
}

export interface FuzzCase {
  readonly seed: number;
  /** Files by name as lines, Kconfig and `.config` alike. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Independent of one another: each begins with the files above. */
  readonly runs: readonly (readonly Step[])[];
}

export const TOP = "Kconfig";

/** Text of a file of lines; an empty last line stands for a missing newline at the end. */
export function textOf(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  return lines.at(-1) === NO_NEWLINE ? lines.slice(0, -1).join("\n") : `${lines.join("\n")}\n`;
}

const NO_NEWLINE = "\0";

export function generateCase(seed: number, index: number, generation: Generation): FuzzCase {
  const random = new Random(caseSeed(seed, index));
  const { plan, files } = generateTree(random, generation);
  const all: Record<string, readonly string[]> = { ...files };
  if (random.chance(75)) all[".config"] = configLines(plan);
  all["all.config"] = configLines(plan);
  all["other.config"] = configLines(plan);
  for (const name of Object.keys(all)) {
    if (random.chance(1)) all[name] = [...(all[name] ?? []), NO_NEWLINE];
  }
  const runs = Array.from({ length: random.from(1, 2) }, () => steps(random));
  return { seed: index, files: all, runs };
}

function steps(random: Random): Step[] {
  const list = [step(random)];
  while (random.chance(20)) list.push(step(random));
  return list;
}

function step(random: Random): Step {
  const env: Record<string, string> = { ...ENVIRONMENT };
  const mode = random.weighted({
    alldefconfig: 10,
    allnoconfig: 8,
    allyesconfig: 8,
    allmodconfig: 8,
    randconfig: 12,
    olddefconfig: 14,
    savedefconfig: 9,
    defconfig: 4,
    listnewconfig: 6,
    helpnewconfig: 6,
    syncconfig: 8,
    yes2modconfig: 3,
    mod2yesconfig: 3,
    mod2noconfig: 3,
    oldaskconfig: 10,
    oldconfig: 8,
  });
  const args = [`--${mode}`];
  let input: string[] = [];
  if (mode === "savedefconfig") args[0] += "=minimum";
  if (mode === "defconfig") args[0] += "=other.config";
  if (mode.startsWith("all") || mode === "randconfig") {
    if (random.chance(30)) env["KCONFIG_ALLCONFIG"] = random.pick(["1", "", "other.config", "missing"]);
  }
  if (mode === "randconfig") {
    env["KCONFIG_SEED"] = random.pick(["1", "0x2a", String(random.below(1_000_000))]);
    if (random.chance(25))
      env["KCONFIG_PROBABILITY"] = random.pick(["0", "100", "30", "20:30", "10:70:20", "60:60", "x"]);
  }
  if (["oldaskconfig", "oldconfig", "syncconfig"].includes(mode)) input = answerLines(random);
  if (random.chance(8)) env["KCONFIG_WARN_UNKNOWN_SYMBOLS"] = "1";
  if (random.chance(5)) env["KCONFIG_WERROR"] = "1";
  if (random.chance(15)) env["KCONFIG_WARN_CHANGED_INPUT"] = "1";
  if (random.chance(4)) env["KCONFIG_OVERWRITECONFIG"] = "1";
  if (random.chance(4)) env["KCONFIG_NOSILENTUPDATE"] = "1";
  if (random.chance(6)) env["KCONFIG_DEFCONFIG_LIST"] = random.pick(["other.config", "missing all.config"]);
  if (random.chance(4)) args.unshift("-s");
  return { args, env, input };
}
