import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { cleanEnv, commandError, run } from "./process.ts";
import type { Command, Finished } from "./process.ts";

/** Where git works: a bare store or a clone's own directory, or nowhere. */
export interface GitPlace {
  readonly directory?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** A file that is locked while git runs, see {@link gitCommand}. */
  readonly lock?: string | undefined;
}

/**
 * A git command that asks nobody, runs no hook and writes nothing into a repository that it only reads. With `lock`
 * it runs under flock(1): the kernel holds that lock until git and its children have really ended, also when whoever
 * started them was killed, and frees it by itself.
 */
export function gitCommand(place: GitPlace, args: readonly string[]): Command {
  const at = place.directory === undefined ? [] : ["-C", place.directory];
  const settings = [
    "core.hooksPath=/dev/null",
    // What is checked out is what is committed, whatever the user has set.
    "core.autocrlf=false",
    "core.eol=lf",
    "core.attributesFile=/dev/null",
    "gc.auto=0",
    "maintenance.auto=false",
    // A transfer that stalls ends.
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=60",
  ].flatMap((setting) => ["-c", setting]);
  const words = ["--no-optional-locks", ...settings, ...at, ...args];
  const env: Record<string, string> = { ...cleanEnv(), GIT_TERMINAL_PROMPT: "0", ...place.env };
  for (const name of ["SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "XDG_CONFIG_HOME"]) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  if (place.lock === undefined) return { file: "git", args: words, env };
  return { file: "flock", args: [place.lock, "git", ...words], env };
}

/** Runs git; a failing status is returned. */
export async function git(
  place: GitPlace,
  args: readonly string[],
  context: KernelContext,
  onLine?: (line: string) => void,
): Promise<Finished> {
  const command = gitCommand(place, args);
  const finished = await run(command, { signal: context.signal, onLine });
  if (finished.exitCode === 127) {
    throw new KernelError("KERNEL_TOOL_MISSING", `A git source needs the program "${command.file}"`, {
      hint: `apt-get install ${command.file === "git" ? "git" : "util-linux"}`,
    });
  }
  return finished;
}

/** Runs git; a failing status is an error that says `what` could not be done. */
export async function gitOrThrow(
  what: string,
  place: GitPlace,
  args: readonly string[],
  context: KernelContext,
  onLine?: (line: string) => void,
): Promise<string> {
  const finished = await git(place, args, context, onLine);
  if (finished.exitCode !== 0) throw gitError(what, gitCommand(place, args), finished);
  return finished.stdout.trim();
}

/** What git said last is the reason. */
export function gitError(what: string, command: Command, finished: Finished): KernelError {
  const said = finished.tail.join("\n");
  const network =
    /Could not resolve host|Failed to connect|Connection (refused|timed out|reset)|unable to access|early EOF|Could not read from remote/i;
  if (!network.test(said)) return commandError(what, command, finished);
  const reason = finished.tail.find((line) => line.startsWith("fatal: ")) ?? said;
  return new KernelError("KERNEL_DOWNLOAD", `Cannot ${what}: ${reason.replace(/^fatal: /, "")}`, {
    cause: commandError(what, command, finished),
    hint: "Check the network and the address; a local clone can be named instead",
  });
}

/** Whether git can work with a directory on this machine as a repository. */
export async function isDirectory(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() === true;
}

/** Checks out a tree into an empty directory, with an index of its own: the repository is only read. */
export async function checkOut(
  repository: string,
  tree: string,
  directory: string,
  context: KernelContext,
): Promise<void> {
  const index = join(directory, ".index-of-git");
  const place = { directory, env: { GIT_INDEX_FILE: index } };
  const onLine = progress("unpack", `tree ${tree.slice(0, 12)}`, context);
  const args = [
    `--git-dir=${repository}`,
    `--work-tree=${directory}`,
    "read-tree",
    "-v",
    "--reset",
    "-u",
    tree,
  ];
  await gitOrThrow(`check out the tree ${tree}`, place, args, context, onLine);
  await rm(index);
}

/** Turns git's `Receiving objects:  12% (34/280)` into progress. */
export function progress(
  phase: "download" | "unpack",
  message: string,
  context: KernelContext,
): (line: string) => void {
  return (line) => {
    const [, done, total] =
      /(?:Receiving objects|Resolving deltas|Updating files|Checking out files): +\d+% \((\d+)\/(\d+)\)/.exec(
        line,
      ) ?? [];
    if (done === undefined) return;
    context.onProgress?.({ phase, done: Number(done), total: Number(total), unit: "objects", message });
  };
}
