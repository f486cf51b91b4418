import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runConf } from "@justenough/kconfig/node";
import { archFacts } from "../arch.ts";
import { collectDiagnostics } from "../build-diagnostic.ts";
import type { BuildDiagnostic } from "../build-diagnostic.ts";
import type { ConfigurationPlan, ConfiguredKernel } from "../configure.ts";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { buildError } from "./build-error.ts";
import { childSeconds } from "./child-time.ts";
import { compileHelp } from "./compile-help.ts";
import type { CompileHelpers } from "./compile-help.ts";
import { answersDirectory, kconfigEnvironment } from "./kconfig-host.ts";
import { makeCommand, prefixMaps } from "./make.ts";
import { objectOfLine, objectProgress } from "./object-progress.ts";
import { heldBy, waitForOrphans } from "./orphans.ts";
import { plannedObjects } from "./plan-objects.ts";
import { run } from "./process.ts";
import type { Command } from "./process.ts";

/** A configured kernel, and where it is to be compiled. */
export interface Compilation {
  readonly plan: ConfigurationPlan;
  readonly tree: string;
  readonly objects: string;
  readonly configured: ConfiguredKernel;
}

/** How the compilers run. */
export interface CompileOptions extends KernelContext, CompileHelpers {
  readonly jobs?: number | undefined;
  /** Changes the command that compiles; a second build to compare with is to run in other circumstances. */
  readonly wrap?: ((command: Command) => Command) | undefined;
}

/** What was done. */
export interface Compiled {
  readonly command: Command;
  /** How many objects the compilers made. */
  readonly objects: number;
  readonly warnings: readonly BuildDiagnostic[];
  readonly started: Date;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/**
 * Makes image and modules in a build directory, whatever that holds already.
 *
 * @throws KernelError KERNEL_BUILD with the diagnostics of what failed, KERNEL_ABORTED.
 */
export async function compileKernel(build: Compilation, options: CompileOptions): Promise<Compiled> {
  const { plan, tree, objects, configured } = build;
  const facts = archFacts(plan.arch);
  const help = await compileHelp(plan, options);
  await waitForOrphans(objects, options.signal);
  const resumed = await configureObjects(objects, configured.text);
  options.onProgress?.({ phase: "compile", done: 0, unit: "objects", message: "prepare" });
  await syncConfiguration(build, options);
  // What was made of an incomplete configuration would not be proved.
  if ((await readFile(join(objects, ".config"), "utf8")) !== configured.text) {
    throw new KernelError("KERNEL_BUILD", `The build changed its own configuration in "${objects}"`, {
      hint: "Remove that directory and build again",
    });
  }
  const planned = await plannedObjects(tree, objects, facts, options.signal);
  const progress = objectProgress(planned, options);
  await progress.start(resumed ? objects : undefined);
  const isOn = (symbol: string): boolean =>
    ["y", "m"].includes(configured.config.values.get(symbol)?.text ?? "n");
  const targets = [
    facts.imageTarget,
    ...(isOn("MODULES") ? ["modules"] : []),
    // Those of the boards that the configuration has; none for QEMU's, which describes itself.
    ...(facts.devicetrees && isOn("OF_EARLY_FLATTREE") ? ["dtbs"] : []),
  ];
  const jobs = options.jobs ?? help.jobs;
  // What a recipe prints comes when it has ended: an object that is told is there, and errors are not mixed.
  const how = [`-j${jobs}`, "--output-sync=target"];
  const flags = prefixMaps(tree, objects);
  const plain = makeCommand(tree, objects, facts, [...how, ...plan.makeArgs, ...flags, ...targets]);
  const command = options.wrap?.(plain) ?? plain;
  const log = collectDiagnostics(tree);
  const [started, before] = [new Date(), childSeconds()];
  const helped = { ...command, env: { ...command.env, ...help.env } };
  const { exitCode } = await run(heldBy(objects, helped), {
    signal: options.signal,
    oneStream: true,
    onLine: (line) => {
      const object = objectOfLine(line);
      if (object !== undefined) progress.made(object);
      log.take(line);
    },
  });
  const diagnostics = log.found();
  if (exitCode !== 0) {
    const what = `The build of the ${plan.arch} kernel in "${tree}"`;
    const { directory: sourceArch } = facts;
    throw await buildError({
      what,
      command,
      diagnostics,
      tail: log.tail,
      noSpace: log.noSpace(),
      tree,
      sourceArch,
      isOn,
    });
  }
  progress.end();
  const warnings = diagnostics.filter(({ severity }) => severity === "warning");
  await saveDefconfig(build, options);
  const wallSeconds = (Date.now() - started.getTime()) / 1000;
  const cpuSeconds = Number((childSeconds() - before).toFixed(2));
  return { command, objects: progress.compiled(), warnings, started, wallSeconds, cpuSeconds };
}

// Kbuild compiles only what the difference to the last configuration touches; the same one is an interrupted build that
// goes on.
async function configureObjects(objects: string, text: string): Promise<boolean> {
  const file = join(objects, ".config");
  if ((await readFile(file, "utf8").catch(() => undefined)) === text) return true;
  await writeFile(file, text);
  return false;
}

// What make has its conf do first: the configuration in the forms that makefiles and C read.
function syncConfiguration(build: Compilation, context: KernelContext): Promise<void> {
  return conf(build, "--syncconfig", context);
}

/** Where {@link compileKernel} leaves the shortest file that gives the configuration. */
export const DEFCONFIG = "defconfig";

function saveDefconfig(build: Compilation, context: KernelContext): Promise<void> {
  return conf(build, `--savedefconfig=${DEFCONFIG}`, context);
}

async function conf(
  { plan, tree, objects }: Compilation,
  task: string,
  context: KernelContext,
): Promise<void> {
  const env = await kconfigEnvironment(tree, objects, plan, context);
  const run = { cwd: objects, args: [task, "Kconfig"], env, answers: answersDirectory(context) };
  const { status, output } = await runConf(run);
  if (status === 0) return;
  throw new KernelError("KERNEL_BUILD", `Cannot prepare the build in "${objects}":\n${output.trimEnd()}`);
}
