import type { Config } from "@justenough/kconfig";
import {
  composeFeatures,
  configureKernel,
  knownOptions,
  optionsFor,
  type OptionNeed,
} from "@justenough/kernel";
import { buildBundle } from "../bundle/build.ts";
import type { BuildContext } from "../bundle/context.ts";
import { kernelProgress, wantedKernel } from "../bundle/kernel.ts";
import { loadSpec, type LoadedSpec } from "../spec/load.ts";
import type { SpecOverrides } from "../spec/resolve.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import { staticUses, type UnresolvedCalls } from "./static-uses.ts";
import { tracedUses, type TraceOptions } from "./traced-uses.ts";

/** A need, and whether the spec's kernel has it. */
export interface FootprintNeed extends OptionNeed {
  /** Who asks for it in the spec: a feature, a preset, `kernel.config`, `kernel.defconfig` with what follows from it; undefined: nobody does. */
  readonly asked: string | undefined;
}

/** What a program needs from the kernel. */
export interface Footprint {
  readonly name: string;
  /** Strongest evidence first. */
  readonly needs: readonly FootprintNeed[];
  /** What the spec's kernel has, could be told of, and neither the program nor the appliance around it was found to need. */
  readonly unused: readonly { readonly symbol: string; readonly asked: string }[];
  readonly unresolved: readonly UnresolvedCalls[];
  /** Undefined without a run. */
  readonly run: { readonly calls: number; readonly complete: boolean; readonly log: string } | undefined;
}

export interface FootprintOptions extends BuildContext, Omit<TraceOptions, "cacheDir" | "signal"> {
  readonly overrides?: Omit<SpecOverrides, "kernel"> | undefined;
  /** Only reads files, and boots nothing. */
  readonly static?: boolean | undefined;
}

/**
 * Finds what a spec's program needs from the kernel: by its code and imports, and by a traced run on the distribution's
 * kernel, which has nearly everything. One run shows what that run did, and no more.
 *
 * @throws SpecError, ApplianceError, and the errors of building and booting.
 * @example
 * ```ts no-run
 * import { footprint } from "@justenough/appliance";
 * const { needs } = await footprint("examples/redis", { cacheDir: "/tmp/cache", watch: 5000, timeout: 300_000 });
 * for (const { symbol, evidence, reasons } of needs) console.log(symbol, evidence, reasons[0]);
 * ```
 */
export async function footprint(where: string, options: FootprintOptions): Promise<Footprint> {
  const own = await loadSpec(where, options.overrides ?? {});
  const { uses, unresolved } = await staticUses(own.spec, options.signal);
  const traced = options.static === true ? undefined : await trace(where, options);
  const needs = optionsFor([...(traced?.uses ?? []), ...uses]);
  const asked = askedFor(own.spec, await baseOf(own, options));
  const needed = new Set([...needs.map(({ symbol }) => symbol), ...ownNeeds(own)]);
  const known = knownOptions();
  return {
    name: own.spec.name,
    needs: needs.map((need) => ({ ...need, asked: asked.get(need.symbol) })),
    unused: Array.from(asked, ([symbol, by]) => ({ symbol, asked: by })).filter(
      ({ symbol }) => known.has(symbol) && !needed.has(symbol),
    ),
    unresolved,
    run: traced && { calls: traced.uses.length, complete: traced.complete, log: traced.record.log },
  };
}

// /init mounts these, and writes to a console; a card is brought up by packets (packages/initramfs/assets/init).
function ownNeeds({ spec }: LoadedSpec): readonly string[] {
  const network = spec.network.kind === "none" ? [] : ["NET", "INET", "PACKET"];
  return ["PRINTK", "TTY", "PROC_FS", "SYSFS", "DEVTMPFS", "TMPFS", ...network];
}

async function trace(where: string, options: FootprintOptions): ReturnType<typeof tracedUses> {
  // As it is, without the presets of the spec.
  const loaded = await loadSpec(where, { ...options.overrides, kernel: "distro" });
  const bundle = await buildBundle(loaded, options);
  options.onProgress?.({ phase: "tracing the program", done: 0, unit: "steps" });
  return tracedUses(loaded, bundle, options);
}

// What a defconfig does not name has its default: only the whole configuration tells what is on.
async function baseOf({ spec, source }: LoadedSpec, options: FootprintOptions): Promise<Config | undefined> {
  const { kernel } = spec;
  if (kernel.source.kind === "distro" || kernel.defconfig === null) return undefined;
  const wanted = await wantedKernel(spec, kernel.source, source, options);
  const { cacheDir, signal } = options;
  return (await configureKernel({ ...wanted, cacheDir, signal, onProgress: kernelProgress(options) })).config;
}

/** Who asks for what is on in a spec's kernel. */
export function askedFor(
  { arch, kernel }: Pick<ResolvedSpec, "arch" | "kernel">,
  base: Pick<Config, "values"> | undefined,
): ReadonlyMap<string, string> {
  const asked = new Map<string, string>();
  for (const [symbol, value] of base?.values ?? []) {
    if (value.text === "y" || value.text === "m") asked.set(symbol, "kernel.defconfig");
  }
  const presets = kernel.source.kind === "distro" ? [] : kernel.presets;
  for (const { symbol, value, origin } of composeFeatures(kernel.features, { arch, presets }).requests) {
    if (value.text === "n") asked.delete(symbol);
    else asked.set(symbol, origin.replace(/^(?:feature|preset) "(.*)"$/, "$1"));
  }
  for (const [symbol, value] of Object.entries(kernel.config)) {
    if (value === "n") asked.delete(symbol);
    else asked.set(symbol, "kernel.config");
  }
  return asked;
}
