import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

import { nearest } from "../suggest.ts";

/** Where a command writes to, so that it can be tested. */
export interface CommandIo {
  readonly stdout: { write(data: string | Uint8Array): unknown };
  readonly stderr: { write(data: string): unknown; readonly isTTY?: boolean | undefined };
  readonly signal?: AbortSignal | undefined;
}

/** A mistake in the command line. */
export class UsageError extends Error {
  readonly hint?: string;

  constructor(message: string, hint?: string) {
    super(message);
    if (hint !== undefined) this.hint = hint;
  }
}

const COMMON = {
  json: { type: "boolean" },
  debug: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const satisfies ParseArgsOptionsConfig;

/** parseArgs, with unknown flags answered by the nearest known one. */
export function parse<T extends ParseArgsOptionsConfig>(args: readonly string[], options: T) {
  const config = { ...COMMON, ...options };
  try {
    return parseArgs({ args: [...args], options: config, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const flag = /'(-[^'\s]*)/.exec(message)?.[1];
    if (code !== "ERR_PARSE_ARGS_UNKNOWN_OPTION" || flag === undefined) throw new UsageError(message);
    const guess = nearest(
      flag,
      Object.keys(config).map((name) => `--${name}`),
    );
    throw new UsageError(
      `There is no option "${flag}"`,
      guess === undefined ? "See initramfs --help" : `Did you mean "${guess}"?`,
    );
  }
}

/** The positional arguments, if there are exactly as many as named. */
export function exactly(positionals: readonly string[], names: readonly string[]): readonly string[] {
  if (positionals.length === names.length) return positionals;
  throw new UsageError(`Expected ${names.join(" ")}, got ${positionals.length} arguments`);
}
