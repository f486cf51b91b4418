import { stat } from "node:fs/promises";
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
import { markUsed } from "./internal/store.ts";
import { checkTools } from "./internal/toolchain.ts";

/** A kernel that was built to be tried. */
export interface TrialKernel {
  /** There until the next one is built, like the directory. */
  readonly image: string;
  /** Of the image. */
  readonly bytes: number;
  /** The build directory, for kernelSize(). */
  readonly directory: string;
}

/** One kernel after the other in one build directory, each of a configuration of its own. */
export interface KernelTrials {
  /** The Kconfig tree, for whoever makes up configurations. */
  readonly tree: KconfigTree;
  /** What they start from. */
  readonly start: ConfiguredKernel;
  /** Names source, architecture and tools: kernels of one configuration and one name are the same. */
  readonly name: string;
  /**
   * Builds the kernel of a complete configuration, from the objects that were kept last.
   *
   * @throws KernelError KERNEL_BUILD, KERNEL_ABORTED.
   */
  readonly build: (text: string) => Promise<TrialKernel>;
  /** The next kernels are built from the objects of the last one. Those of a kernel that is not kept are thrown away. */
  readonly keep: () => Promise<void>;
}

/**
 * Holds a build directory in which many kernels are tried that differ by few options. Each costs what its difference to
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
    let fresh = false;
    return work({
      tree,
      start,
      name: [plan.source.id, plan.arch, plan.toolchain].join("\n"),
      build: async (text) => {
        if (!fresh) await copyObjects(kept, directory, directory, signal);
        fresh = false;
        await markUsed(directory);
        const configured = { ...start, config: parseConfig(text), text };
        // ccache has what others build, and of kernels that are tried once only the trouble of looking.
        const ccache = text === start.text ? options.ccache : false;
        const build = { plan, tree: source, objects: directory, configured };
        await compileKernel(build, { ...options, ccache });
        const image = join(directory, imagePath);
        return { image, bytes: (await stat(image)).size, directory };
      },
      keep: async () => {
        await copyObjects(directory, kept, directory, signal);
        await markUsed(kept);
        fresh = true;
      },
    });
  });
}
