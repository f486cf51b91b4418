import { availableParallelism } from "node:os";
import { join } from "node:path";
import { archFacts } from "../arch.ts";
import { objectsDirectory, planConfiguration } from "../configure.ts";
import type { KernelConfiguration } from "../configure.ts";
import { kernelCacheDir } from "../context.ts";
import { findDistroKernel } from "../distro.ts";
import type { DistroKernelOptions } from "../distro.ts";
import { aptDownloadCommand } from "./apt.ts";
import { makeCommand, prefixMaps } from "./make.ts";
import { formatCommand } from "./process.ts";
import { fetchCommands, sourceCommands } from "./source-commands.ts";

/** The external commands that a command of the command line would run, in order, as one could type them. */
export async function dryRun(
  name: string,
  wanted: KernelConfiguration | undefined,
  context: DistroKernelOptions & { readonly jobs?: number | undefined },
): Promise<string[]> {
  const downloads = join(kernelCacheDir(context), "downloads");
  if (wanted === undefined) {
    const found = await findDistroKernel(context);
    const directory = join(kernelCacheDir(context), "distro", `${found.name}_${found.version}`);
    return [
      formatCommand(aptDownloadCommand(found, downloads)),
      formatCommand({ file: "dpkg-deb", args: ["-x", `${found.name}_${found.version}.deb`, directory] }),
      formatCommand({ file: "depmod", args: ["-b", directory, found.name.replace("linux-image-", "")] }),
    ];
  }
  if (name === "fetch") return fetchCommands(wanted.source, context);
  const plan = await planConfiguration(wanted, context);
  const { source } = plan;
  const commands = await sourceCommands(source, wanted.source, context);
  const facts = archFacts(plan.arch);
  const objects = objectsDirectory(plan, context);
  const conf =
    plan.base === "defconfig" ? ["defconfig"] : [`KCONFIG_ALLCONFIG=${objects}/.allconfig`, "allnoconfig"];
  commands.push(formatCommand(makeCommand(source.tree, objects, facts, ["-s", ...plan.makeArgs, ...conf])));
  if (name === "build") {
    const jobs = `-j${context.jobs ?? availableParallelism()}`;
    const args = [jobs, ...plan.makeArgs, ...prefixMaps(source.tree, objects), facts.imageTarget];
    commands.push(formatCommand(makeCommand(source.tree, objects, facts, args)));
  }
  return commands;
}
