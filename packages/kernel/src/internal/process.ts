import { spawn } from "node:child_process";
import { constants as osConstants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { KernelError } from "../errors.ts";

/** An external command; `env` is the whole environment, so that nothing of the caller's can change a result. */
export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What a finished command left. */
export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  /** 127 when the program was not found. */
  readonly exitCode: number;
  /** The last lines of both streams, as they came. */
  readonly tail: readonly string[];
}

const TAIL = 60;

/** The environment for child processes: what locates programs and files, nothing that changes what they print or build. */
export function cleanEnv(): Record<string, string> {
  const env: Record<string, string> = { LC_ALL: "C", LANG: "C", TZ: "UTC" };
  for (const name of ["HOME", "TMPDIR", "USER", "http_proxy", "https_proxy", "no_proxy"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  env["PATH"] = searchPath().join(":");
  return env;
}

/** PATH, with the system directories that a user's PATH often lacks (depmod is in one). */
export function searchPath(): string[] {
  const own = (process.env["PATH"] ?? "").split(":").filter((entry) => entry !== "");
  return [...new Set([...own, "/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"])];
}

/** The command as one could type it in a shell. */
export function formatCommand(command: Command): string {
  const words = [command.file, ...command.args].map(quote).join(" ");
  return command.cwd === undefined ? words : `cd ${quote(command.cwd)} && ${words}`;
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Runs a command to its end; a failing exit status is returned, not thrown. The command leads its own process group,
 * and aborting ends that whole group: make's compilers too.
 */
export async function run(
  command: Command,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onLine?: ((line: string) => void) | undefined;
    readonly stdin?: Readable | undefined;
    /** Its errors go where its output goes, in the order in which they were written: two pipes have none. */
    readonly oneStream?: boolean | undefined;
  } = {},
): Promise<Finished> {
  throwIfAborted(options.signal);
  const { file, args } = options.oneStream === true ? oneStream(command) : command;
  const child = spawn(file, args, {
    cwd: command.cwd,
    env: command.env ?? cleanEnv(),
    detached: true,
    stdio: [options.stdin === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  const ended = new Promise<{ readonly exitCode: number; readonly missing: boolean }>((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      // A working directory that is not there gives the same code; the callers make theirs.
      if (error.code === "ENOENT") resolve({ exitCode: 127, missing: true });
      else reject(error);
    });
    child.once("close", (code, signal) =>
      resolve({
        exitCode: code ?? 128 + (signal === null ? 0 : osConstants.signals[signal]),
        missing: false,
      }),
    );
  });
  const stopGroup = (): void => {
    if (child.pid === undefined) return;
    try {
      process.kill(-child.pid, "SIGTERM");
    } catch {
      // It has ended by itself.
    }
  };
  options.signal?.addEventListener("abort", stopGroup, { once: true });
  if (options.stdin !== undefined && child.stdin !== null) {
    options.stdin.on("error", stopGroup);
    // The reader may end first (EPIPE); its exit status tells why.
    child.stdin.on("error", () => {});
    options.stdin.pipe(child.stdin);
  }
  const tail: string[] = [];
  const collect = async (stream: Readable | null): Promise<string> => {
    const lines: string[] = [];
    if (stream === null) return "";
    for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) {
      tail.push(line);
      if (tail.length > TAIL) tail.shift();
      if (options.onLine === undefined) lines.push(line);
      else options.onLine(line);
    }
    return lines.join("\n");
  };
  const [stdout, stderr, { exitCode, missing }] = await Promise.all([
    collect(child.stdout),
    collect(child.stderr),
    ended,
  ]);
  options.signal?.removeEventListener("abort", stopGroup);
  throwIfAborted(options.signal);
  if (missing) tail.push(`${command.file}: command not found`);
  return { stdout, stderr, exitCode, tail };
}

function oneStream({ file, args }: Command): Pick<Command, "file" | "args"> {
  return { file: "sh", args: ["-c", 'exec "$0" "$@" 2>&1', file, ...args] };
}

/** Like {@link run}, but a failing exit status is an error with the command and its last lines. */
export async function runOrThrow(
  command: Command,
  options: Parameters<typeof run>[1] & { readonly what: string },
): Promise<Finished> {
  const finished = await run(command, options);
  if (finished.exitCode !== 0) throw commandError(options.what, command, finished);
  return finished;
}

/** The error for a failed command: what was tried, the last lines, how to run it again. */
export function commandError(what: string, command: Command, finished: Finished): KernelError {
  if (finished.exitCode === 127 && finished.tail.at(-1)?.endsWith("command not found") === true) {
    return new KernelError("KERNEL_TOOL_MISSING", `Cannot ${what}: there is no program "${command.file}"`);
  }
  const full = finished.tail.find(isNoSpace);
  if (full !== undefined) return noSpaceError(`Cannot ${what}`, full);
  const lines = finished.tail.slice(-15).map((line) => `  ${line}`);
  return new KernelError(
    "KERNEL_TOOL_FAILED",
    `Cannot ${what}: "${command.file}" ended with status ${finished.exitCode}\n${lines.join("\n")}`,
    { hint: `Run it again: ${formatCommand(command)}` },
  );
}

/** A program's word for a full disk: strerror(ENOSPC). */
export function isNoSpace(line: string): boolean {
  return line.includes("No space left on device");
}

/** The error for a full disk; `line` is what was said. */
export function noSpaceError(what: string, line: string): KernelError {
  return new KernelError("KERNEL_NO_SPACE", `${what}: no space is left on the disk\n  ${line.trim()}`, {
    hint: '"kbuild cache gc --max-size SIZE" makes room, or --cache-dir takes another disk; then run it again',
  });
}

/** Throws KERNEL_ABORTED when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) {
    throw new KernelError("KERNEL_ABORTED", "The operation was aborted", { cause: signal.reason });
  }
}
