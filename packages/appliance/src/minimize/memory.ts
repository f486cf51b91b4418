import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";

/** What was found when a configuration was tried. */
export interface Outcome {
  /** SHA-256 of the configuration. */
  readonly config: string;
  /** Names all that decides a verdict beside the configuration: appliance, machine, test. */
  readonly acceptance: string;
  readonly ok: boolean;
  readonly why?: string | undefined;
  /** The kernel was not built: whatever the appliance is. */
  readonly unbuildable?: true | undefined;
  /** Of the image. */
  readonly bytes?: number | undefined;
  /** What was turned off, and all that went with it. */
  readonly off: readonly string[];
  readonly goes: readonly string[];
}

/** All outcomes of one kernel tree: a file of lines that only grows. Other appliances learn from it what is likely needed. */
export interface Memory {
  readonly find: (config: string, acceptance: string) => Outcome | undefined;
  readonly add: (outcome: Outcome) => Promise<void>;
  /** How likely an option is needed by what was found for other appliances. */
  readonly chance: (symbol: string) => number;
}

/** What is thought of options before anything was tried. */
export interface Expected {
  /** The program was seen to use them. */
  readonly used?: ReadonlySet<string> | undefined;
  /** They follow from what the spec says. */
  readonly likely?: ReadonlySet<string> | undefined;
}

/** Reads what is remembered. A last line that was cut is as good as none. */
export async function openMemory(
  path: string,
  acceptance: string,
  { used, likely }: Expected = {},
): Promise<Memory> {
  const outcomes = new Map<string, Outcome>();
  const keep = (outcome: Outcome): void => {
    outcomes.set(`${outcome.config} ${outcome.acceptance}`, outcome);
    if (outcome.unbuildable) outcomes.set(outcome.config, outcome);
  };
  const others: Outcome[] = [];
  const text = await readFile(path, "utf8").catch(() => "");
  for (const line of text.split("\n")) {
    const outcome = parseOutcome(line);
    if (outcome === undefined) continue;
    keep(outcome);
    // Not our own: after a restart the same is to be tried in the same order.
    if (outcome.acceptance !== acceptance) others.push(outcome);
  }
  const seen = countSeen(others);
  return {
    find: (config, asked) => outcomes.get(`${config} ${asked}`) ?? outcomes.get(config),
    add: async (outcome) => {
      keep(outcome);
      await mkdir(dirname(path), { recursive: true });
      // In a line of its own, also after one that was cut.
      await appendFile(path, `\n${JSON.stringify(outcome)}\n`);
    },
    chance: (symbol) => {
      const { needed, spared } = seen.get(symbol) ?? { needed: 0, spared: 0 };
      const usually = USUALLY_NEEDED.has(symbol) || likely?.has(symbol) === true;
      const before = usually ? 0.8 : used?.has(symbol) === true ? 0.6 : 0.1;
      // As if that had been seen twice.
      return (needed + 2 * before) / (needed + spared + 2);
    },
  };
}

// What any program in an initramfs with a serial console needs; only where to begin, the test has the last word.
const USUALLY_NEEDED = new Set([
  "64BIT",
  "BINFMT_ELF",
  "BLK_DEV_INITRD",
  "DEVTMPFS",
  "PRINTK",
  "PROC_FS",
  "RD_GZIP",
  "SERIAL_8250",
  "SERIAL_8250_CONSOLE",
  "SERIAL_AMBA_PL011",
  "SERIAL_AMBA_PL011_CONSOLE",
  "SYSFS",
  "TTY",
]);

function countSeen(
  outcomes: readonly Outcome[],
): ReadonlyMap<string, { readonly needed: number; readonly spared: number }> {
  const seen = new Map<string, { needed: number; spared: number }>();
  const count = (symbol: string, kind: "needed" | "spared"): void => {
    const counts = seen.get(symbol) ?? { needed: 0, spared: 0 };
    counts[kind]++;
    seen.set(symbol, counts);
  };
  for (const { ok, off, goes } of outcomes) {
    if (ok) for (const symbol of goes) count(symbol, "spared");
    // Of several it is not known which one was missed.
    else if (off.length === 1) for (const symbol of off) count(symbol, "needed");
  }
  return seen;
}

function parseOutcome(line: string): Outcome | undefined {
  if (line === "") return undefined;
  try {
    return JSON.parse(line) as Outcome;
  } catch {
    return undefined;
  }
}
