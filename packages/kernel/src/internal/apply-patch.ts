import { readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { Patch } from "./patches.ts";
import { cleanEnv, formatCommand, run, runOrThrow } from "./process.ts";
import type { Command, Finished } from "./process.ts";

/**
 * Copies a tree, without its repository. Trees of the cache (`linked`) are never written again and git replaces the
 * files that it patches, so those can share all others by hard links. A user's tree is edited, in place too: its files
 * are copied, or share their blocks until one is written where the file system can do that.
 */
export async function copyTree(
  from: string,
  to: string,
  linked: boolean,
  context: KernelContext,
): Promise<void> {
  const names = (await readdir(from)).filter((name) => name !== ".git");
  const how = linked ? "--link" : "--reflink=auto";
  const command = { file: "cp", args: ["-a", how, "--", ...names.map((name) => join(from, name)), to] };
  await runOrThrow(command, { what: `copy the tree "${from}"`, signal: context.signal });
}

// Applies from its standard input. It needs no repository, and must find none above the tree.
function applyCommand(strip: number, directory: string, ...more: string[]): Command {
  const env = { ...cleanEnv(), GIT_CEILING_DIRECTORIES: dirname(directory) };
  const strict = ["--whitespace=nowarn", "--no-ignore-whitespace"];
  const args = ["-c", "core.autocrlf=false", "apply", `-p${strip}`, ...strict, ...more, "-"];
  return { file: "git", args, cwd: directory, env };
}

/**
 * Applies a patch to a tree, or takes it back, as a whole or not at all, and without fuzz.
 *
 * @throws KernelError KERNEL_SOURCE that names the patch, each file and hunk that does not fit.
 */
export async function applyPatch(
  patch: Patch & { readonly reverse?: boolean | undefined },
  directory: string,
  context: KernelContext,
): Promise<void> {
  const apply = (...more: string[]): Promise<Finished> => {
    const stdin = Readable.from([patch.bytes]);
    return run(applyCommand(patch.strip, directory, ...more), { signal: context.signal, stdin });
  };
  const finished = await apply(...(patch.reverse === true ? ["--reverse"] : []));
  if (finished.exitCode === 0) return;
  if (finished.exitCode === 127) {
    throw new KernelError("KERNEL_TOOL_MISSING", 'Applying patches needs the program "git"', {
      hint: "apt-get install git",
    });
  }
  const applied = (await apply("--reverse", "--check")).exitCode === 0;
  const why = finished.tail.map((line) => explain(line, patch)).filter((line) => line !== undefined);
  throw new KernelError(
    "KERNEL_SOURCE",
    `The patch "${patch.name}" does not apply: ${[...new Set(why)].join("; ")}`,
    {
      hint: applied
        ? "The source has it already: leave it out"
        : `Adapt it to this source, or take the source that it was made for. By hand: ${formatCommand({ file: "git", args: ["apply", `-p${patch.strip}`, "--reject", patch.name] })}`,
    },
  );
}

// git names the file and the line where the hunk should be; the hunk's head is in the patch.
function explain(line: string, patch: Patch): string | undefined {
  const failed = /^error: patch failed: (.+):(\d+)$/.exec(line);
  if (failed === null) {
    return /patch does not apply$|^Checking/.test(line) ? undefined : line.replace(/^error: /, "");
  }
  const [, file = "", at = ""] = failed;
  const text = Buffer.from(patch.bytes).toString("latin1");
  const start = Math.max(0, text.indexOf(`/${file}`));
  const head = new RegExp(`^@@ -${at}(,\\d+)? .*$`, "m").exec(text.slice(start))?.[0];
  return `in "${file}" the hunk at line ${at}${head === undefined ? "" : ` (${head.trim()})`} does not fit`;
}
