import { readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { storeArtifacts } from "./artifacts.ts";
import type { KernelArtifacts } from "./artifacts.ts";
import { buildKernel, withObjects } from "./build.ts";
import type { BuildOptions } from "./build.ts";
import { cachedTree, configurePlan, planConfiguration } from "./configure.ts";
import { kernelCacheDir } from "./context.ts";
import { compareDirectories } from "./internal/compare-directories.ts";
import { compileKernel } from "./internal/compile.ts";
import { run, runOrThrow } from "./internal/process.ts";
import type { Command } from "./internal/process.ts";
import { makeScratch } from "./internal/store.ts";

/** Whether a second build gave the same bytes. */
export interface KernelVerification {
  readonly kernel: KernelArtifacts;
  /** Artifacts that were compared. */
  readonly files: number;
  /** Those that differ or are in one build only, relative to the artifacts; empty when the kernel is reproducible. */
  readonly differing: readonly string[];
  /** The objects that differ, which lead to the source file, as far as the first build's are still there. */
  readonly objects: readonly string[];
}

/**
 * Builds a kernel, or takes the one that was built before, and builds it again from nothing: in another directory, from
 * a copy of the source in another place, with another number of jobs, umask, time zone, user and, for time goes on, date.
 * The second build is removed.
 *
 * @throws KernelError as {@link buildKernel} does; not for a difference, which is the result.
 * @example
 * ```ts no-run
 * import { defaultSource, verifyKernel } from "@justenough/kernel";
 * const { differing, files } = await verifyKernel({ source: await defaultSource() });
 * console.log(differing.length === 0 ? `${files} files are the same` : differing);
 * ```
 */
export async function verifyKernel(options: BuildOptions): Promise<KernelVerification> {
  const kernel = await buildKernel(options);
  const plan = await planConfiguration(options, options);
  const cache = kernelCacheDir(options);
  const scratch = await makeScratch(join(cache, "objects", "verify"));
  try {
    // What else would build there waits, so that the first build's objects stay.
    return await withObjects(plan, options, async (first) => {
      const objects = join(scratch, "objects");
      const artifacts = join(scratch, "artifacts");
      const tree = join(scratch, "source");
      await copyTree(await cachedTree(plan.source, options), tree, options.signal);
      const configured = await configurePlan(plan, options);
      const jobs = (options.jobs ?? availableParallelism()) + 1;
      const compilation = { plan, tree, objects, configured };
      const how = { ...options, ccache: false, jobs, wrap: otherwise };
      const compiled = await compileKernel(compilation, how);
      const { text } = configured;
      await storeArtifacts({ ...compilation, compiled, directory: artifacts }, options);
      const { signal } = options;
      const compared = await compareDirectories(kernel.directory, artifacts, { signal, only: isResult });
      const kept = (await readFile(join(first, ".config"), "utf8").catch(() => undefined)) === text;
      if (compared.differing.length === 0 || !kept) return { kernel, ...compared, objects: [] };
      const only = (path: string): boolean => path.endsWith(".o");
      const { differing } = await compareDirectories(first, objects, { signal, only });
      return { kernel, ...compared, objects: differing };
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// What a build says of its times and commands is another each time.
function isResult(path: string): boolean {
  return path !== "build.json";
}

// Links to the same files: another path at the cost of directories. Across file systems it is a copy.
async function copyTree(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  const copy = (how: string): Command => ({ file: "cp", args: [how, "--", from, to] });
  if ((await run(copy("-al"), { signal })).exitCode === 0) return;
  await rm(to, { recursive: true, force: true });
  await runOrThrow(copy("-a"), { what: "copy the source", signal });
}

function otherwise({ file, args, env, ...rest }: Command): Command {
  const other = { TZ: "Pacific/Kiritimati", USER: "somebody", LOGNAME: "somebody" };
  return {
    ...rest,
    file: "sh",
    args: ["-c", 'umask 077; exec "$0" "$@"', file, ...args],
    env: { ...env, ...other },
  };
}
