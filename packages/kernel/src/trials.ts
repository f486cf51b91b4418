import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { loadKconfig, parseConfig } from "@justenough/kconfig";
import type { KconfigTree } from "@justenough/kconfig";
import { archFacts } from "./arch.ts";
import { cachedTree, configurePlan, planConfiguration } from "./configure.ts";
import type { ConfiguredKernel } from "./configure.ts";
import { waiting } from "./build.ts";
import type { BuildOptions } from "./build.ts";
import { kernelCacheDir } from "./context.ts";
import { compileKernel } from "./internal/compile.ts";
import { copyObjects } from "./internal/copy-objects.ts";
import { kconfigHost } from "./internal/kconfig-host.ts";
import { withLock } from "./internal/lock.ts";
import { waitForOrphans } from "./internal/orphans.ts";
import { benches } from "./internal/benches.ts";
import { markUsed } from "./internal/store.ts";
import { checkTools } from "./internal/toolchain.ts";

/** A kernel that was built to be tried. Image and directory are there until it is disposed of. */
export interface TrialKernel extends Disposable {
  readonly image: string;
  /** Of the image. */
  readonly bytes: number;
  /** The build directory, for kernelSize(). */
  readonly directory: string;
}

/** Kernels in build directories that others have used before, each of a configuration of its own. */
export interface KernelTrials {
  /** The Kconfig tree, for whoever makes up configurations. */
  readonly tree: KconfigTree;
  /** What they start from. */
  readonly start: ConfiguredKernel;
  /** Names source, architecture and tools: kernels of one configuration and one name are the same. */
  readonly name: string;
  /** How many can be there at once: one for each four jobs. Who asks for more waits. */
  readonly atOnce: number;
  /**
   * Builds the kernel of a complete configuration, from the objects that were kept last.
   *
   * @throws KernelError KERNEL_BUILD, KERNEL_ABORTED.
   */
  readonly build: (text: string, signal?: AbortSignal) => Promise<TrialKernel>;
  /**
   * The next kernels are built from the objects of this configuration's, if they are still there. Those of a kernel that is not
   * kept are thrown away.
   */
  readonly keep: (text: string) => Promise<void>;
}

const JOBS_FOR_ONE = 4;
const MOST = 4;

/**
 * Holds build directories in which many kernels are tried that differ by few options. Each costs what its difference to
 * the last kept one touches. What is kept serves the next call with the same start too, however this one ended.
 *
 * @throws KernelError as buildKernel() does, and what `work` throws.
 */
export async function withTrials<T>(
  options: BuildOptions,
  work: (trials: KernelTrials) => Promise<T>,
): Promise<T> {
  const { signal } = options;
  const plan = await planConfiguration(options, options);
  await checkTools(plan.compiler, undefined, signal);
  // As deep as other build directories: for ccache the way from there to the tree is part of each command.
  const directory = join(kernelCacheDir(options), "objects", `trials-${plan.id.slice(0, 16)}`);
  const kept = `${directory}.kept`;
  const jobs = options.jobs ?? availableParallelism();
  const atOnce = Math.min(Math.max(Math.floor(jobs / JOBS_FOR_ONE), 1), MOST);
  const places = benches(
    Array.from({ length: atOnce }, (_, index) => `${directory}${index === 0 ? "" : `.${index + 1}`}`),
  );
  const onWait = waiting(options, "trying the same kernels");
  return withLock(`${directory}.lock`, { signal, onWait }, async () => {
    const source = await cachedTree(plan.source, options);
    const start = await configurePlan(plan, options);
    await checkTools(plan.compiler, start.config, signal);
    using host = await kconfigHost(source, directory, plan, options);
    const tree = await loadKconfig({ srctree: source, host });
    const { imagePath } = archFacts(plan.arch);
    // Whoever was here before may have been killed at any moment, and what it had started writes on.
    await waitForOrphans(directory, signal);
    // What the first directory has, when it is what is kept.
    let fresh = false;
    const build = async (
      text: string,
      objects: string,
      aborted: AbortSignal | undefined,
    ): Promise<number> => {
      // The name of a directory is in the commands of its objects: those of another are of no use. So it goes on from what it has.
      if (objects === directory) {
        if (!fresh) await copyObjects(kept, directory, directory, aborted);
        fresh = false;
      }
      await markUsed(objects);
      const configured = { ...start, config: parseConfig(text), text };
      const isStart = text === start.text;
      // ccache has what others build, and of kernels that are tried once only the trouble of looking.
      const isKnown = isStart || (await stat(objects).catch(() => undefined)) === undefined;
      await compileKernel(
        { plan, tree: source, objects, configured },
        {
          ...options,
          signal: aborted,
          ...(isStart || atOnce === 1 ? {} : { jobs: Math.ceil(jobs / atOnce) }),
          ccache: isKnown ? options.ccache : false,
          onProgress: objects === directory ? options.onProgress : undefined,
        },
      );
      return (await stat(join(objects, imagePath))).size;
    };
    return work({
      tree,
      start,
      name: [plan.source.id, plan.arch, plan.toolchain].join("\n"),
      atOnce,
      build: async (text, mine) => {
        const aborted = anyOf(signal, mine);
        const bench = await places.take(aborted);
        try {
          const bytes = await build(text, bench.place, aborted);
          const image = join(bench.place, imagePath);
          return { image, bytes, directory: bench.place, [Symbol.dispose]: () => bench.leave(text) };
        } catch (error) {
          bench.leave();
          throw error;
        }
      },
      keep: async (text) => {
        const bench = places.takeMade(text);
        try {
          if (bench?.place !== directory) return;
          await copyObjects(directory, kept, directory, signal);
          await markUsed(kept);
          fresh = true;
        } finally {
          bench?.leave(text);
        }
      },
    });
  });
}

function anyOf(...signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const some = signals.filter((signal) => signal !== undefined);
  return some.length <= 1 ? some[0] : AbortSignal.any(some);
}
