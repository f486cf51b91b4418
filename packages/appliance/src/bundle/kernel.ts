import { readFile } from "node:fs/promises";
import {
  buildKernel,
  defaultSource,
  distroKernel,
  resolveSource,
  type KernelArtifacts,
  type KernelConfiguration,
  type KernelProgress,
  type KernelSource,
} from "@justenough/kernel";
import type { ResolvedKernelSource, ResolvedSpec } from "../spec/resolved.ts";
import type { BuildContext } from "./context.ts";
import type { SpecSource } from "../spec/source.ts";
import { deviceNeeds } from "./devices.ts";
import { originIn } from "./refused-config.ts";

/** Gets the kernel that a spec asks for: the distribution's, or one built for it. */
export async function obtainKernel(
  spec: ResolvedSpec,
  file: SpecSource,
  context: BuildContext,
): Promise<KernelArtifacts> {
  const { arch, kernel } = spec;
  const { cacheDir, signal } = context;
  const shared = { cacheDir, signal, onProgress: kernelProgress(context) };
  if (kernel.source.kind === "distro") return distroKernel({ arch, ...shared });
  const wanted = await wantedKernel(spec, kernel.source, file, context);
  if (context.update) await resolveSource(wanted.source, { ...shared, refresh: true });
  return buildKernel({ ...wanted, jobs: context.jobs, ...shared });
}

/** What the kernel package is asked for. */
export async function wantedKernel(
  { arch, kernel }: Pick<ResolvedSpec, "arch" | "kernel">,
  source: Exclude<ResolvedKernelSource, { readonly kind: "distro" }>,
  file: SpecSource,
  context: BuildContext,
): Promise<KernelConfiguration> {
  const { compiler, features, presets, defconfig } = kernel;
  const base = defconfig === null ? undefined : { text: await readFile(defconfig, "utf8") };
  const from = await kernelSource(source, context);
  const { symbols } = await deviceNeeds({ arch, kernel }, from, context);
  const config = { ...Object.fromEntries(symbols.map((symbol) => [symbol, "y"])), ...kernel.config };
  const origin = (symbol: string): string => originIn(file, symbol in kernel.config ? "config" : "devices");
  return { source: from, arch, compiler, features, presets, config, base, origin };
}

const phases: Readonly<Record<KernelProgress["phase"], string>> = {
  wait: "kernel: waiting",
  index: "kernel: asking apt",
  download: "kernel: downloading",
  unpack: "kernel: unpacking",
  configure: "kernel: configuring",
  compile: "kernel: compiling",
  install: "kernel: installing",
};

/** The kernel package's events, in words that also tell what they are about. */
export function kernelProgress(context: BuildContext): (event: KernelProgress) => void {
  return (event) => context.onProgress?.({ ...event, phase: phases[event.phase] });
}

/** The source in the kernel package's terms. */
export async function kernelSource(
  source: Exclude<ResolvedKernelSource, { readonly kind: "distro" }>,
  context: BuildContext,
): Promise<KernelSource> {
  switch (source.kind) {
    case "auto": {
      const found = await defaultSource({
        cacheDir: context.cacheDir,
        signal: context.signal,
        onProgress: kernelProgress(context),
      });
      // Another series than the default one is looked for in the same place.
      return found.kind === "debian" ? { kind: "debian", series: source.version } : found;
    }
    case "debian":
      return { kind: "debian", series: source.version };
    case "kernel.org":
      return { kind: "kernel.org", version: source.version };
    default:
      return source;
  }
}
