import { countSymbols } from "@justenough/kconfig";
import { referenceConfig } from "@justenough/kernel";
import type { ResolvedSpec } from "../spec/resolved.ts";
import type { ReferenceCount } from "./bundle.ts";
import type { BuildContext } from "./context.ts";
import { kernelProgress, kernelSource } from "./kernel.ts";

/**
 * How many symbols the architecture's defconfig sets in the very tree that was built, to compare with.
 * A prebuilt kernel comes without a tree to ask.
 */
export async function defconfigCount(
  spec: ResolvedSpec,
  context: BuildContext,
): Promise<ReferenceCount | null> {
  if (spec.kernel.source.kind === "distro") return null;
  const config = await referenceConfig({
    source: await kernelSource(spec.kernel.source, context),
    arch: spec.arch,
    name: "defconfig",
    cacheDir: context.cacheDir,
    signal: context.signal,
    onProgress: kernelProgress(context),
  });
  return { name: `${spec.arch}_defconfig`, set: countSymbols(config).set };
}
