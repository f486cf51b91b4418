import { run, text_en, type ApplicationText } from "@stricli/core";
import type { CliContext, CliProcess } from "./context.ts";
import { describeError } from "./internal/describe-error.ts";

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
// stricli's own statuses for wrong use: an unknown command or argument.
const usageStatuses = new Set([-5, -4, 251, 252]);

/** The `appliance` command. Resolves to its exit status; never rejects. */
export async function main(args: readonly string[], process: CliProcess): Promise<number> {
  const split = args.indexOf("--");
  const own = split === -1 ? args : args.slice(0, split);
  const abort = new AbortController();
  let status: number | undefined;
  const listeners = Object.entries(signals).map(([name, code]) => {
    const listener = (): void => {
      // A second Ctrl-C no longer waits for the tidying up; what was started dies with this process.
      if (status !== undefined) globalThis.process.exit(code);
      status = code;
      abort.abort(new Error(`interrupted by ${name}`));
    };
    process.on?.(name as NodeJS.Signals, listener);
    return [name as NodeJS.Signals, listener] as const;
  });
  const debug = own.includes("--debug");
  // No status yet: stricli leaves one that is set already.
  const stricliProcess: Pick<CliProcess, "stdout" | "stderr" | "env"> & {
    exitCode?: number | string | null;
  } = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
  };
  const context: CliContext & { process: typeof stricliProcess } = {
    process: stricliProcess,
    signal: abort.signal,
    rest: split === -1 ? undefined : args.slice(split + 1),
    argv: args,
    status: 0,
  };
  const told = (error: unknown): string => {
    if (abort.signal.aborted) return debug ? describeError(error, { debug }) : "interrupted";
    return describeError(error, { debug });
  };
  const usage = (text: string): string =>
    `error: ${text}\nhint: appliance ${own[0]?.startsWith("-") === false ? `${own[0]} ` : ""}--help`;
  const text: ApplicationText = {
    ...text_en,
    exceptionWhileParsingArguments: (error) => usage(text_en.exceptionWhileParsingArguments(error, false)),
    noCommandRegisteredForInput: ({ input, corrections }) =>
      `error: Unknown command "${input}"\nhint: ${corrections.length === 0 ? "appliance --help" : `did you mean "${corrections.map((name) => name.replaceAll("`", "")).join('" or "')}"?`}`,
    exceptionWhileLoadingCommandFunction: told,
    exceptionWhileLoadingCommandContext: told,
    exceptionWhileRunningCommand: told,
    commandErrorResult: told,
  };
  try {
    const { buildApp } = await import("./app.ts");
    const app = buildApp(text, (error) => exitStatus(error));
    await run(app, own.length === 0 ? ["--help"] : own, context);
  } finally {
    for (const [name, listener] of listeners) process.off?.(name, listener);
  }
  if (status !== undefined) return status;
  const code = Number(stricliProcess.exitCode ?? 0);
  if (usageStatuses.has(code)) return 2;
  return code === 0 ? context.status : code;
}

function exitStatus(error: unknown): number {
  const wanted = (error as { readonly exitCode?: unknown }).exitCode;
  return typeof wanted === "number" && wanted > 0 ? wanted : 1;
}
