import { readFile } from "node:fs/promises";
import { parseConfig } from "@justenough/kconfig";
import { archFacts } from "./arch.ts";
import type { Arch } from "./arch.ts";
import type { KernelArtifacts } from "./artifacts.ts";
import type { KernelContext } from "./context.ts";
import { distroKernel } from "./distro.ts";
import { KernelError } from "./errors.ts";
import { firmwareOf } from "./internal/module-firmware.ts";
import { moduleName, readModuleAliases } from "./internal/module-aliases.ts";
import type { IndexedModule, ModuleAliases } from "./internal/module-aliases.ts";
import { underConfiguration } from "./kbuild/built.ts";
import { holds, symbolsOf } from "./kbuild/condition.ts";
import type { Condition } from "./kbuild/condition.ts";
import { readKbuild } from "./kbuild/tree.ts";
import type { KbuildTree } from "./kbuild/tree.ts";
import { defaultSource, fetchSource, resolveSource } from "./source.ts";
import type { KernelSource } from "./source.ts";

/** Where drivers are looked for. */
export interface DriversOptions extends KernelContext {
  /** Default: x86_64. */
  readonly arch?: Arch | undefined;
  /** The tree that the symbols are of. Default: the distribution's newest source. */
  readonly source?: KernelSource | undefined;
  /**
   * A kernel with modules for as many devices as possible, which tells what drives a device. Default: the distribution's
   * for all machines, of the source's series if there is one.
   */
  readonly kernel?: KernelArtifacts | undefined;
}

/** A driver, and what has to be on for it. */
export interface Driver {
  /** As modprobe(8) and lsmod(8) name it. */
  readonly module: string;
  /** In the tree: `drivers/net/ethernet/intel/e1000e/e1000e.o`. */
  readonly object: string;
  /** Symbols, without CONFIG_, of the line that builds it. All are needed. */
  readonly symbols: readonly string[];
  /** Symbols of the directories around it; most often the driver's own depend on them. */
  readonly around: readonly string[];
  /** Where several lines build it: symbols of which one would do in place of `symbols`. */
  readonly alternatives: readonly string[];
  /** The modaliases that it drives; none for a module that was asked for by its name. */
  readonly devices: readonly string[];
  /** Files that it may load from /lib/firmware: for all its devices, not these alone. */
  readonly firmware: readonly string[];
}

/** Drivers for devices. */
export interface Drivers {
  readonly drivers: readonly Driver[];
  /** Modaliases and names for which the distribution's kernel has no module; bridges and what is built in need none. */
  readonly unknown: readonly string[];
  /** Modules of the distribution's kernel of which the tree's Makefiles do not tell a symbol, with the reason. */
  readonly unresolved: readonly { readonly module: string; readonly why: string }[];
  /** The release of the kernel whose index was asked. */
  readonly release: string;
}

/**
 * From devices to the symbols that build their drivers: the distribution's index of modules (modules.alias,
 * modules.builtin.modinfo) tells the modules of modaliases, and the tree's Makefiles the symbols. A module's name stands for
 * itself; of several modules for one device those that are named so are taken, as they were seen to drive it.
 *
 * @throws KernelError KERNEL_SOURCE when there is no kernel or source to ask, KERNEL_TOOL_MISSING without modinfo.
 * @example
 * ```ts no-run
 * import { driversFor } from "@justenough/kernel";
 * const { drivers } = await driversFor(["pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00"]);
 * console.log(drivers.map(({ module, symbols }) => `${module}: ${symbols.join(" ")}`)); // [ 'e1000e: E1000E' ]
 * ```
 */
export async function driversFor(devices: readonly string[], options: DriversOptions = {}): Promise<Drivers> {
  const arch = options.arch ?? "x86_64";
  const source = options.source ?? (await defaultSource(options));
  const kernel = options.kernel ?? (await kernelForAll(arch, source, options));
  if (kernel.modules === undefined) {
    throw new KernelError("KERNEL_SOURCE", `The kernel in "${kernel.directory}" has no modules to look in`);
  }
  const { found, unknown } = modulesFor(devices, await readModuleAliases(kernel.modules));
  const tree = await fetchSource(await resolveSource(source, options), options);
  const symbols = await symbolsFor(tree, arch, await readFile(kernel.config, "utf8"));
  const firmware = await firmwareOf(
    kernel.modules,
    [...found.values()].map(({ module }) => module),
    options,
  );
  const drivers: Driver[] = [];
  const unresolved: { module: string; why: string }[] = [];
  for (const { module, devices } of [...found.values()].sort((a, b) =>
    a.module.name < b.module.name ? -1 : 1,
  )) {
    const answer = symbols(module.object);
    if ("why" in answer) unresolved.push({ module: module.name, why: answer.why });
    else drivers.push({ module: module.name, ...answer, devices, firmware: firmware.get(module.name) ?? [] });
  }
  return { drivers, unknown, unresolved, release: kernel.release };
}

/** The modules for devices, with the modaliases that each is for. */
function modulesFor(
  devices: readonly string[],
  index: ModuleAliases,
): {
  readonly found: ReadonlyMap<
    string,
    { readonly module: IndexedModule; readonly devices: readonly string[] }
  >;
  readonly unknown: readonly string[];
} {
  const found = new Map<string, { readonly module: IndexedModule; readonly devices: string[] }>();
  const unknown: string[] = [];
  const modaliases = new Set<string>();
  for (const device of devices) {
    const module = index.modules.get(moduleName(device));
    if (device.includes(":")) modaliases.add(device);
    else if (module === undefined) unknown.push(device);
    else found.set(module.name, { module, devices: [] });
  }
  const named = new Set(found.keys());
  for (const modalias of modaliases) {
    const modules = index.find(modalias);
    if (modules.length === 0) unknown.push(modalias);
    const seen = modules.filter(({ name }) => named.has(name));
    for (const module of seen.length > 0 ? seen : modules) {
      const known = found.get(module.name);
      if (known === undefined) found.set(module.name, { module, devices: [modalias] });
      else known.devices.push(modalias);
    }
  }
  return { found, unknown };
}

/** The distribution's kernel for all machines: of the source's series, else the current one. */
async function kernelForAll(
  arch: Arch,
  source: KernelSource,
  context: DriversOptions,
): Promise<KernelArtifacts> {
  const { debian } = archFacts(arch);
  const series = source.kind === "debian" ? [`linux-image-${source.series}-${debian}`] : [];
  for (const name of series) {
    const own = await distroKernel({ ...context, arch, package: name }).catch((error: unknown) => {
      if (error instanceof KernelError && error.code === "KERNEL_SOURCE") return undefined;
      throw error;
    });
    if (own !== undefined) return own;
  }
  return distroKernel({ ...context, arch, package: `linux-image-${debian}` });
}

type Answer = Pick<Driver, "object" | "symbols" | "around" | "alternatives"> | { readonly why: string };

/** The symbols that build a module, given a configuration in which it was built. */
async function symbolsFor(tree: string, arch: Arch, config: string): Promise<(object: string) => Answer> {
  const kbuild = await readKbuild(tree, archFacts(arch).directory);
  const { values } = parseConfig(config);
  const valueOf = (symbol: string): string => values.get(symbol)?.text ?? "n";
  const built = underConfiguration(kbuild, valueOf);
  return (object) => {
    const here = placeOf(kbuild, object);
    if (here === undefined) return { why: `the tree has no "${object}", nor another object of that name` };
    const chain = built.optionsOf(here);
    const own = chain.at(-1);
    if (own === undefined) {
      const lines = kbuild.objects.get(here)?.map(({ file, line }) => `${file}:${line}`);
      return { why: `it is not built by the configuration of that kernel, see ${lines?.join(", ") ?? here}` };
    }
    const [symbols = [], ...others] = waysOf(own, valueOf);
    const around = chain.slice(0, -1).flatMap((condition) => waysOf(condition, valueOf)[0] ?? []);
    return {
      object: here,
      symbols,
      around: [...new Set(around)].filter((symbol) => !symbols.includes(symbol)),
      alternatives: [...new Set(others.flat())].filter((symbol) => !symbols.includes(symbol)),
    };
  };
}

// Drivers move between versions, but keep their names.
function placeOf({ objects }: KbuildTree, object: string): string | undefined {
  if (objects.has(object)) return object;
  const name = object.slice(object.lastIndexOf("/"));
  const same = [...objects].filter(
    ([path, mentions]) => path.endsWith(name) && mentions.some(({ list }) => list === "obj"),
  );
  return same.length === 1 ? same[0]?.[0] : undefined;
}

/** The sets of symbols that make a condition hold, as it does under the configuration. */
function waysOf(condition: Condition, valueOf: (symbol: string) => string): (readonly string[])[] {
  if (condition.kind !== "or") return [symbolsOf(condition)];
  return condition.of.filter((one) => holds(one, valueOf) === true).flatMap((one) => waysOf(one, valueOf));
}
