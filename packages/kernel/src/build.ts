import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { runConf } from "@justenough/kconfig/node";
import { archFacts } from "./arch.ts";
import type { ArchFacts } from "./arch.ts";
import { readArtifacts, storeArtifacts } from "./artifacts.ts";
import type { KernelArtifacts } from "./artifacts.ts";
import { cachedTree, configurePlan, objectsDirectory, planConfiguration } from "./configure.ts";
import type { ConfigurationPlan, ConfiguredKernel, KernelConfiguration } from "./configure.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { findFault, objectOfLine } from "./internal/build-log.ts";
import { answersDirectory, kconfigEnvironment } from "./internal/kconfig-host.ts";
import { withLock } from "./internal/lock.ts";
import { makeCommand, prefixMaps } from "./internal/make.ts";
import { plannedObjects } from "./internal/plan-objects.ts";
import { formatCommand, run } from "./internal/process.ts";
import { markUsed } from "./internal/store.ts";
import { checkTools } from "./internal/toolchain.ts";

/** A kernel to build. */
export interface BuildOptions extends KernelConfiguration, KernelContext {
  /** How many compilers run at once. Default: one for each processor. */
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
      const resumed = await configureObjects(objects, configured.text);
      const { config } = configured;
      await checkTools(plan.compiler, config, options.signal);
      await compile({ plan, tree, objects, configured, resumed }, options);
      options.onProgress?.({ phase: "install", done: 0, unit: "steps" });
      await storeArtifacts({ plan, tree, objects, config, directory: artifacts }, options);
    });
    const done = await readArtifacts(artifacts, false);
    if (done === undefined)
      throw new KernelError("KERNEL_BUILD", `"${artifacts}" vanished while it was made`);
    return done;
  });
}

// Kernels of one source and compiler share a build directory, one after the other.
async function withObjects(
  plan: ConfigurationPlan,
  context: KernelContext,
  work: (objects: string) => Promise<void>,
): Promise<void> {
  const objects = objectsDirectory(plan, context);
  const onWait = waiting(context, "building in the same directory");
  await withLock(`${objects}.lock`, { signal: context.signal, onWait }, () => work(objects));
}

function waiting(context: KernelContext, doing: string): (pid: number) => void {
  return (pid) =>
    context.onProgress?.({ phase: "wait", done: 0, unit: "steps", message: `Process ${pid} is ${doing}` });
}

// Kbuild compiles only what the difference to the last configuration touches; the same one is an interrupted build that
// goes on.
async function configureObjects(objects: string, text: string): Promise<boolean> {
  const file = join(objects, ".config");
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) return true;
  await mkdir(objects, { recursive: true });
  await writeFile(file, text);
  return false;
}

async function compile(
  build: {
    readonly plan: ConfigurationPlan;
    readonly tree: string;
    readonly objects: string;
    readonly configured: ConfiguredKernel;
    readonly resumed: boolean;
  },
  options: BuildOptions,
): Promise<void> {
  const { plan, tree, objects, configured, resumed } = build;
  const facts = archFacts(plan.arch);
  const flags = prefixMaps(tree, objects);
  options.onProgress?.({ phase: "compile", done: 0, unit: "objects", message: "prepare" });
  await syncConfiguration(plan, tree, objects, options);
  // What was made of an incomplete configuration would not be proved.
  if ((await readFile(join(objects, ".config"), "utf8")) !== configured.text) {
    throw new KernelError("KERNEL_BUILD", `The build changed its own configuration in "${objects}"`, {
      hint: "Remove that directory and build again",
    });
  }
  const planned = await plannedObjects(tree, objects, facts, options.signal);
  const progress = objectProgress(planned, options);
  await progress.start(resumed ? objects : undefined);
  const targets = [
    facts.imageTarget,
    ...(configured.config.values.get("MODULES")?.text === "y" ? ["modules"] : []),
  ];
  const jobs = options.jobs ?? availableParallelism();
  const command = makeCommand(tree, objects, facts, [`-j${jobs}`, ...plan.makeArgs, ...flags, ...targets]);
  const lines: string[] = [];
  const finished = await run(command, {
    signal: options.signal,
    onLine: (line) => {
      const object = objectOfLine(line);
      if (object !== undefined) progress.made(object);
      else {
        lines.push(line);
        if (lines.length > 400) lines.shift();
      }
    },
  });
  if (finished.exitCode !== 0) throw buildError(command, lines, tree, facts);
  progress.end();
}

// What make has its conf do first: the configuration in the forms that makefiles and C read.
async function syncConfiguration(
  plan: ConfigurationPlan,
  tree: string,
  objects: string,
  options: BuildOptions,
): Promise<void> {
  const env = await kconfigEnvironment(tree, objects, plan, options);
  const run = { cwd: objects, args: ["--syncconfig", "Kconfig"], env, answers: answersDirectory(options) };
  const { status, output } = await runConf(run);
  if (status === 0) return;
  throw new KernelError("KERNEL_BUILD", `Cannot prepare the build in "${objects}":\n${output.trimEnd()}`);
}

function objectProgress(
  planned: ReadonlySet<string>,
  context: KernelContext,
): {
  readonly start: (objects: string | undefined) => Promise<void>;
  readonly made: (object: string) => void;
  readonly end: () => void;
} {
  const done = new Set<string>();
  let unplanned = 0;
  const tell = (count: number, message?: string): void => {
    // An object that the plan does not know raises the total, so that the bar never passes its end.
    const total = planned.size === 0 ? undefined : planned.size + unplanned;
    context.onProgress?.({ phase: "compile", done: count, total, unit: "objects", message });
  };
  return {
    // What an interrupted build left is done already. After a change of the configuration nobody but make knows which
    // objects are to be compiled again, so the count starts at nothing and jumps to the end over those that are not.
    start: async (objects) => {
      for (const object of objects === undefined ? [] : planned) {
        if ((await stat(join(objects ?? "", object)).catch(() => undefined)) !== undefined) done.add(object);
      }
      tell(done.size);
    },
    made: (object) => {
      if (!done.has(object) && !planned.has(object)) unplanned++;
      done.add(object);
      tell(done.size, object);
    },
    end: () => tell(planned.size + unplanned),
  };
}

function buildError(
  command: Parameters<typeof formatCommand>[0],
  lines: readonly string[],
  tree: string,
  facts: ArchFacts,
): KernelError {
  const fault = findFault(lines);
  const shown = fault.lines.map((line) => `  ${line}`).join("\n");
  return new KernelError(
    "KERNEL_BUILD",
    `The build of the ${facts.makeArch} kernel in "${tree}" failed: ${fault.summary}\n${shown}`,
    { hint: `Run it again: ${formatCommand(command)}` },
  );
}
