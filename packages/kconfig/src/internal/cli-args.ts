import { parseArgs } from "node:util";
import { KconfigError } from "../errors.ts";
import { nearest } from "./nearest.ts";

const OPTIONS = {
  config: { type: "string" },
  output: { type: "string", short: "o" },
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

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
 * @throws KconfigError KCONFIG_USAGE for an unknown option, with the one that was probably meant.
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
  try {
    return parse(argv);
  } catch (error) {
    // Its messages are whole sentences; the first is the one about the argument.
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new KconfigError("KCONFIG_USAGE", message.replace(/\.$/, ""), { cause: error });
  }
}
