import { join } from "node:path";
import { readArtifacts, storeArtifacts } from "./artifacts.ts";
import type { KernelArtifacts } from "./artifacts.ts";
import { cachedTree, configurePlan, objectsDirectory, planConfiguration } from "./configure.ts";
import type { ConfigurationPlan, KernelConfiguration } from "./configure.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import type { CompileHelpers } from "./internal/compile-help.ts";
import { compileKernel } from "./internal/compile.ts";
import { withLock } from "./internal/lock.ts";
import { markUsed } from "./internal/store.ts";
import { checkTools } from "./internal/toolchain.ts";

/** A kernel to build. */
export interface BuildOptions extends KernelConfiguration, KernelContext, CompileHelpers {
  /** How many compilers run at once. Default: one for each processor, and what the farm's machines take. */
  readonly jobs?: number | undefined;
}

/**
 * Builds a kernel, or returns the one that was built before from the same source, configuration and tools. A build
 * that was interrupted goes on where it stopped; a second process that wants the same kernel waits for the first.
 *
 * @throws KernelError KERNEL_CONFIG, KERNEL_FEATURE, KERNEL_SOURCE, KERNEL_TOOL_MISSING, KERNEL_BUILD, KERNEL_ABORTED.
 */
export async function buildKernel(options: BuildOptions): Promise<KernelArtifacts> {
  const plan = await planConfiguration(options, options);
  const cache = kernelCacheDir(options);
  const artifacts = join(cache, "artifacts", plan.id);
  const built = await readArtifacts(artifacts, true);
  if (built !== undefined) {
    await markUsed(artifacts);
    return built;
  }
  const onWait = waiting(options, "building the same kernel");
  const lock = join(cache, "locks", plan.id);
  return withLock(lock, { signal: options.signal, onWait }, async () => {
    const meanwhile = await readArtifacts(artifacts, true);
    if (meanwhile !== undefined) return meanwhile;
    await checkTools(plan.compiler, undefined, options.signal);
    const tree = await cachedTree(plan.source, options);
    const configured = await configurePlan(plan, options);
    await withObjects(plan, options, async (objects) => {
      await markUsed(objects);
      await checkTools(plan.compiler, configured.config, options.signal);
      const compilation = { plan, tree, objects, configured };
      const compiled = await compileKernel(compilation, options);
      options.onProgress?.({ phase: "install", done: 0, unit: "steps" });
      await storeArtifacts({ ...compilation, compiled, directory: artifacts }, options);
    });
    const done = await readArtifacts(artifacts, false);
    if (done === undefined)
      throw new KernelError("KERNEL_BUILD", `"${artifacts}" vanished while it was made`);
    return done;
  });
}

/** Kernels of one source and compiler share a build directory, one after the other. */
export async function withObjects<T>(
  plan: ConfigurationPlan,
  context: KernelContext,
  work: (objects: string) => Promise<T>,
): Promise<T> {
  const objects = objectsDirectory(plan, context);
  const onWait = waiting(context, "building in the same directory");
  return withLock(`${objects}.lock`, { signal: context.signal, onWait }, () => work(objects));
}

/** What withLock() calls when it waits for a process that builds. */
export function waiting(context: KernelContext, doing: string): (pid: number) => void {
  return (pid) =>
    context.onProgress?.({ phase: "wait", done: 0, unit: "steps", message: `Process ${pid} is ${doing}` });
}
