import type { CommandContext } from "@stricli/core";

/** The part of a process that the command needs; a test gives its own. */
export interface CliProcess {
  readonly stdout: CliStream;
  readonly stderr: CliStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  on?: ((event: NodeJS.Signals, listener: () => void) => unknown) | undefined;
  off?: ((event: NodeJS.Signals, listener: () => void) => unknown) | undefined;
}

export interface CliStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(data: string | Uint8Array): boolean;
}

/** What every command gets as `this`. */
export interface CliContext extends CommandContext {
  readonly process: CliProcess;
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
  /** What stood after `--`; undefined without one. */
  readonly rest: readonly string[] | undefined;
  /** All arguments, for a background process that is to do the same. */
  readonly argv: readonly string[];
  /** The status to end with when the command returns: 0 unless set. */
  status: number;
}
