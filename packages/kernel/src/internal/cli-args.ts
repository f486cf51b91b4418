import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";
import { KernelError } from "../errors.ts";
import { nearest } from "./nearest.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** The arguments of a command: repeated options are lists, flags are true. */
export interface CliArgs {
  readonly flag: (name: string) => boolean;
  readonly text: (name: string) => string | undefined;
  readonly list: (name: string) => readonly string[];
  readonly positionals: readonly string[];
}

/**
 * Reads arguments strictly.
 *
 * @throws KernelError KERNEL_USAGE for an unknown option, with the one that was probably meant.
 */
export function readArgs(args: readonly string[], options: Options, most: number): CliArgs {
  const known = new Set(Object.keys(options));
  for (const arg of args) {
    if (arg === "--") break;
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || known.has(name)) continue;
    const near = nearest(name, known);
    throw new KernelError("KERNEL_USAGE", `There is no option "--${name}"`, {
      hint: near === undefined ? '"kbuild --help" lists the options' : `Did you mean "--${near}"?`,
    });
  }
  let parsed: { values: Record<string, unknown>; positionals: string[] };
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    // Its messages are whole sentences; the first is the one about the argument.
    const message = error instanceof Error ? (error.message.split(". ")[0] ?? "") : String(error);
    throw new KernelError("KERNEL_USAGE", message.replace(/\.$/, ""), { cause: error });
  }
  const extra = parsed.positionals[most];
  if (extra !== undefined) throw new KernelError("KERNEL_USAGE", `Unexpected argument "${extra}"`);
  const { values, positionals } = parsed;
  return {
    flag: (name) => values[name] === true,
    text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
    list: (name) => (Array.isArray(values[name]) ? (values[name] as string[]) : []),
    positionals,
  };
}
