import type { CommandContext } from "../command.ts";
import type { KernelProgress } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { CliArgs } from "./cli-args.ts";
import { nearest } from "./nearest.ts";
import { isNotice } from "./notice.ts";

/** Where a command reads and writes; a test gives its own. */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal. */
  readonly terminal: boolean;
}

export const processIo: CliIo = {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  terminal: process.stderr.isTTY && process.env["TERM"] !== "dumb",
};

/** Shows progress on stderr: one line that is rewritten on a terminal, else a plain line now and then. */
export function progressPrinter(io: CliIo): {
  readonly show: (event: KernelProgress) => void;
  readonly end: () => void;
} {
  let open = false;
  let lastPhase = "";
  let lastTime = 0;
  return {
    show: (event) => {
      if (isNotice(event)) {
        io.stderr(`${open ? "\n" : ""}note: ${event.message ?? ""}\n`);
        open = false;
        return;
      }
      const now = Date.now();
      const fresh = event.phase !== lastPhase;
      const complete = event.total !== undefined && event.done === event.total;
      if (!fresh && !complete && now - lastTime < (io.terminal ? 100 : 10_000)) return;
      const text = describe(event);
      if (io.terminal) {
        io.stderr(`${fresh && open ? "\n" : ""}\r\u001B[K${text}`);
        open = true;
      } else io.stderr(`${text}\n`);
      lastPhase = event.phase;
      lastTime = now;
    },
    end: () => {
      if (open) io.stderr("\n");
      open = false;
    },
  };
}

function describe(event: KernelProgress): string {
  const { phase, done, total, unit, message, left } = event;
  const rest = left === undefined ? "" : `, ${duration(left)} left`;
  const about = rest + (message === undefined ? "" : `  ${message}`);
  if (unit === "steps") return `${phase}${about}`;
  const amount = (count: number): string =>
    unit === "bytes" ? `${(count / 1e6).toFixed(1)} MB` : `${count}`;
  const noun = unit === "bytes" ? "" : ` ${unit}`;
  if (total === undefined) return `${phase} ${amount(done)}${noun}${about}`;
  const percent = total === 0 ? 100 : Math.floor((100 * done) / total);
  return `${phase} ${percent} % (${amount(done)} of ${amount(total)}${noun})${about}`;
}

function duration(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** Prints a command's result: data with `--json`, else text. */
export function printResult(
  { args, io, progress }: CommandContext,
  value: unknown,
  plain: string | (() => string),
): void {
  progress.end();
  const text = (): string => (typeof plain === "string" ? plain : plain());
  io.stdout(args.flag("json") ? `${JSON.stringify(value, null, 2)}\n` : text());
}

/**
 * The words after a command's name.
 *
 * @throws KernelError KERNEL_USAGE when there are too few or too many.
 */
export function operandsOf(args: CliArgs, least: number, most: number, usage: string): readonly string[] {
  const operands = args.positionals.slice(1);
  if (operands.length >= least && operands.length <= most) return operands;
  throw new KernelError("KERNEL_USAGE", `Wrong number of arguments: it is "kbuild ${usage}"`);
}

/**
 * The value of an option that is a count, undefined when it is not given.
 *
 * @throws KernelError KERNEL_USAGE for anything else.
 */
export function wholeNumber(args: CliArgs, option: string): number | undefined {
  const text = args.text(option);
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new KernelError("KERNEL_USAGE", `"--${option} ${text}" is no whole number`);
}

/**
 * The value of an option that is one of a few words, undefined when it is not given.
 *
 * @throws KernelError KERNEL_USAGE for another word.
 */
export function oneOf<T extends string>(args: CliArgs, option: string, words: readonly T[]): T | undefined {
  const text = args.text(option);
  const found = words.find((word) => word === text);
  if (text === undefined || found !== undefined) return found;
  const near = nearest(text, words);
  throw new KernelError("KERNEL_USAGE", `"--${option} ${text}": there is no such ${option}`, {
    hint: near === undefined ? `It is one of ${words.join(", ")}` : `Did you mean "${near}"?`,
  });
}
