import { countSymbols } from "@justenough/kconfig";
import { referenceConfig } from "@justenough/kernel";
import type { BuildContext } from "../bundle/context.ts";
import { kernelProgress, kernelSource } from "../bundle/kernel.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import type { ReportFacts } from "./facts.ts";
import type { ReferenceCounts } from "./render.ts";

/**
 * What other configurations of the same kernel set: the architecture's defconfig, resolved in the very tree
 * that was built, and the distribution's, which is one of the columns.
 */
export async function referenceCounts(
  spec: ResolvedSpec,
  columns: readonly ReportFacts[],
  context: BuildContext,
): Promise<ReferenceCounts> {
  const distro = columns.find((column) => column.distro)?.config.set;
  // The prebuilt kernel comes without the tree that a defconfig could be resolved in.
  if (spec.kernel.source.kind === "distro") return { distro };
  const source = await kernelSource(spec.kernel.source, context);
  const { cacheDir, signal } = context;
  const config = await referenceConfig({
    source,
    arch: spec.arch,
    name: "defconfig",
    cacheDir,
    signal,
    onProgress: kernelProgress(context),
  });
  return { defconfig: { name: `${spec.arch}_defconfig`, set: countSymbols(config).set }, distro };
}
