import { createHash } from "node:crypto";
import { lstat, opendir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import type { ResolvedSource } from "../source.ts";
import { refuseBuilt } from "./built-tree.ts";
import { run, throwIfAborted } from "./process.ts";

/** A tree of the user's: only read, built out of tree, never copied. */
export async function directorySource(given: string, context: KernelContext): Promise<ResolvedSource> {
  const tree = resolve(given);
  const kconfig = await stat(join(tree, "Kconfig")).catch(() => undefined);
  if (kconfig?.isFile() !== true) {
    throw new KernelError("KERNEL_SOURCE", `"${given}" is no kernel source tree: it has no file Kconfig`);
  }
  await refuseBuilt(tree, given);
  const id = (await gitId(tree, context)) ?? (await statId(tree, context.signal));
  return { id, provenance: { kind: "directory", origin: tree }, tree, unpack: undefined };
}

// A clean checkout is known by its commit. A changed one is known like any other directory.
async function gitId(tree: string, context: KernelContext): Promise<string | undefined> {
  if ((await stat(join(tree, ".git")).catch(() => undefined)) === undefined) return undefined;
  // --no-optional-locks: the tree is only read, so git must not refresh its index.
  const git = (...args: string[]): ReturnType<typeof run> =>
    run({ file: "git", args: ["--no-optional-locks", "-C", tree, ...args] }, { signal: context.signal });
  const head = await git("rev-parse", "--verify", "HEAD");
  if (head.exitCode !== 0) return undefined;
  const status = await git("status", "--porcelain");
  return status.exitCode === 0 && status.stdout === "" ? `git-${head.stdout.trim()}` : undefined;
}

// Names, sizes and times of all files: reading 1.4 GB at each call would be more honest, and too slow.
async function statId(tree: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash("sha256");
  const walk = async (directory: string, prefix: string): Promise<void> => {
    throwIfAborted(signal);
    const names: string[] = [];
    for await (const entry of await opendir(directory)) if (entry.name !== ".git") names.push(entry.name);
    names.sort();
    const facts = await Promise.all(names.map((name) => lstat(join(directory, name))));
    for (const [index, name] of names.entries()) {
      const fact = facts[index];
      if (fact === undefined) continue;
      if (fact.isDirectory()) await walk(join(directory, name), `${prefix}${name}/`);
      else hash.update(`${prefix}${name}\0${fact.size}\0${fact.mtimeMs}\0${fact.mode}\n`);
    }
  };
  await walk(tree, "");
  return `directory-${hash.digest("hex").slice(0, 32)}`;
}
