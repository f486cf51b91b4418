import {
  buildKernel,
  defaultSource,
  distroKernel,
  resolveSource,
  type KernelArtifacts,
  type KernelProgress,
  type KernelSource,
} from "@justenough/kernel";
import type { ResolvedSpec } from "../spec/resolved.ts";
import type { BuildContext } from "./context.ts";

/** Gets the kernel that a spec asks for: the distribution's, or one built for it. */
export async function obtainKernel(
  spec: ResolvedSpec,
  origin: string,
  context: BuildContext,
): Promise<KernelArtifacts> {
  const { arch, kernel } = spec;
  const { cacheDir, signal } = context;
  const onProgress = kernelProgress(context);
  const shared = { cacheDir, signal, onProgress };
  if (kernel.source.kind === "distro") return distroKernel({ arch, ...shared });
  const source = await kernelSource(kernel.source, context);
  if (context.update) await resolveSource(source, { ...shared, refresh: true });
  return buildKernel({
    source,
    arch,
    compiler: kernel.compiler,
    features: kernel.features,
    config: kernel.config,
    origin,
    jobs: context.jobs,
    ...shared,
  });
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
  source: Exclude<ResolvedSpec["kernel"]["source"], { readonly kind: "distro" }>,
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
