import type { ResolvedSpec } from "../spec/resolved.ts";

/** What presets ask of the booted kernel, beside what is built into it. */
export interface PresetWishes {
  /** Parameters of its command line. */
  readonly boot: readonly string[];
  /** What /init writes before the program starts. */
  readonly settings: readonly { readonly path: string; readonly value: string }[];
}

/** The wishes of a spec's presets. */
export async function presetWishes({ arch, kernel }: ResolvedSpec): Promise<PresetWishes> {
  if (kernel.presets.length === 0) return { boot: [], settings: [] };
  const { selectPresets } = await import("@justenough/kernel");
  const presets = selectPresets(kernel.presets, arch);
  return {
    boot: presets.flatMap(({ boot, prebuilt }) =>
      kernel.source.kind === "distro" ? (prebuilt ?? []) : boot,
    ),
    settings: presets.flatMap(({ write }) => write ?? []),
  };
}
