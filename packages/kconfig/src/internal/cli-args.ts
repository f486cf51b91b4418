import { parseArgs } from "node:util";
import { KconfigError } from "../errors.ts";
import { nearest } from "./nearest.ts";

const OPTIONS = {
  config: { type: "string" },
  base: { type: "string" },
  weights: { type: "string" },
  output: { type: "string", short: "o" },
  srctree: { type: "string" },
  arch: { type: "string" },
  kconfig: { type: "string" },
  answers: { type: "string" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

type Option = keyof typeof OPTIONS;

const EVERYWHERE: ReadonlySet<string> = new Set(["json", "debug", "help", "version"]);
const TREE = ["srctree", "arch", "kconfig", "answers"] as const;

/** The commands, and the options that each takes besides those that all take. */
const TAKES: Readonly<Record<string, readonly Option[]>> = {
  diff: [],
  merge: ["output"],
  check: ["config"],
  get: [],
  count: [],
  extract: ["output"],
  explain: [...TREE, "config"],
  show: [...TREE, "config"],
  search: [...TREE, "config"],
  types: [...TREE, "output"],
  schema: [...TREE, "output"],
  resolve: [...TREE, "base", "weights", "output"],
  minimize: [...TREE, "output"],
  menu: [...TREE, "config", "output"],
  record: ["srctree", "arch", "kconfig", "output"],
};

export const COMMANDS: readonly string[] = Object.keys(TAKES);

/** Whether a command loads a tree of Kconfig files. */
export function needsTree(command: string): boolean {
  return TAKES[command]?.includes("srctree") === true;
}

/** The command line's arguments. */
export type CliArgs = ReturnType<typeof parse>;

function parse(
  argv: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true; strict: true }>> {
  return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });
}

/**
 * Reads arguments strictly.
 *
 * @throws KconfigError KCONFIG_USAGE for an unknown option, with the one that was probably meant, and for one that the
 * command does not take.
 */
export function readArgs(argv: readonly string[]): CliArgs {
  const known = Object.keys(OPTIONS);
  for (const arg of argv) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.includes(name)) continue;
    const near = nearest(name, known);
    throw new KconfigError("KCONFIG_USAGE", `There is no option "--${name}"`, {
      hint: near === undefined ? '"kconfig --help" lists the options' : `Did you mean "--${near}"?`,
    });
  }
  let args: CliArgs;
  try {
    args = parse(argv);
  } catch (error) {
    // Its messages are whole sentences; the first is the one about the argument.
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new KconfigError("KCONFIG_USAGE", message.replace(/\.$/, ""), { cause: error });
  }
  const [command = ""] = args.positionals;
  const taken: readonly string[] | undefined = TAKES[command];
  const wrong = Object.keys(args.values).find(
    (name) => taken !== undefined && !EVERYWHERE.has(name) && !taken.includes(name),
  );
  if (wrong !== undefined) {
    const rest = (taken ?? []).map((name) => `--${name}`).join(", ");
    throw new KconfigError("KCONFIG_USAGE", `"kconfig ${command}" has no use for "--${wrong}"`, {
      hint: rest === "" ? undefined : `It takes ${rest}`,
    });
  }
  return args;
}
