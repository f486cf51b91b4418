import { readFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  overrideRequests,
  parseConfig,
  printRequests,
  proveConfig,
  requestsOf,
  resolveConfig,
  valueOf,
  isSymbolName,
} from "@justenough/kconfig";
import type { Config, ConfigBase, ConfigRequest, TreeHost } from "@justenough/kconfig";
import type { Arch } from "./arch.ts";
import { kernelCacheDir } from "./context.ts";
import type { KernelContext } from "./context.ts";
import { KernelError } from "./errors.ts";
import { composeFeatures, defaultFeatures } from "./feature.ts";
import { compilerArgs, compilerFor } from "./internal/compiler.ts";
import type { Compiler } from "./internal/compiler.ts";
import { solveRefused } from "./internal/solve-refused.ts";
import type { Unsolved } from "./internal/solve-refused.ts";
import { kconfigHost } from "./internal/kconfig-host.ts";
import { withLock } from "./internal/lock.ts";
import { markUsed, writeFileAtomic } from "./internal/store.ts";
import { WITH_PAHOLE } from "./internal/make.ts";
import { keyArgs, moduleKey } from "./internal/module-key.ts";
import { checkTools, paholeVersion, toolchainVersion } from "./internal/toolchain.ts";
import { checkPresets } from "./preset.ts";
import type { Preset } from "./preset.ts";
import { fetchSource, resolveSource } from "./source.ts";
import type { KernelSource, ResolvedSource } from "./source.ts";

/** What a kernel is to be, apart from where it is built. */
export interface KernelConfiguration {
  readonly source: KernelSource;
  /** Default: x86_64. */
  readonly arch?: Arch | undefined;
  /** Default: gcc, a cross compiler for another architecture than this machine's. clang brings LLVM's linker and tools. */
  readonly compiler?: "gcc" | "clang" | undefined;
  /** Default: {@link defaultFeatures}. What they need comes with them. */
  readonly features?: readonly string[] | undefined;
  /** Switches of known cost, `kpti=off` say, see {@link listPresets}. Neither features nor `config` may contradict them. */
  readonly presets?: readonly string[] | undefined;
  /** Symbols (without CONFIG_) and values (y, m, n, numbers, strings); they win over those of features. */
  readonly config?: Readonly<Record<string, string>> | undefined;
  /** Who asks for `config`, or for a symbol in it, for messages: `config in appliance.yaml:12`, say. */
  readonly origin?: string | ((symbol: string) => string) | undefined;
  /** Default: allnoconfig, where all that nobody asks for is off. */
  readonly base?: ConfigBase | undefined;
  /** Leaves debugging information out of the installed modules; vmlinux keeps its own. Default: false. */
  readonly stripModules?: boolean | undefined;
}

/** A complete configuration in which all that was requested is in effect. */
export interface ConfiguredKernel {
  readonly config: Config;
  /** As the tree's conf would write it. */
  readonly text: string;
  readonly requests: readonly ConfigRequest[];
  readonly features: readonly string[];
  /** With those that they include. */
  readonly presets: readonly string[];
  /** What the presets want on the kernel's command line, beside what is built in. */
  readonly boot: readonly string[];
  /** Names source, requests, base and tools. */
  readonly id: string;
}

/** All that decides a configuration, found without touching the tree. */
export interface ConfigurationPlan {
  readonly arch: Arch;
  readonly source: ResolvedSource;
  readonly features: readonly string[];
  readonly presets: readonly Preset[];
  readonly requests: readonly ConfigRequest[];
  readonly base: ConfigBase;
  readonly compiler: Compiler;
  /** What compiler and linker say of themselves. */
  readonly toolchain: string;
  /** What make is given beside what every build gets. */
  readonly makeArgs: readonly string[];
  readonly stripped: boolean;
  readonly id: string;
}

// Counts up when the same inputs are to give another result, because this package does something differently.
const RECIPE = 3;

/** Works out what decides a configuration or a build, and its id. Cheap: no tree, no make. */
export async function planConfiguration(
  wanted: KernelConfiguration,
  context: KernelContext,
): Promise<ConfigurationPlan> {
  const arch = wanted.arch ?? "x86_64";
  const compiler = compilerFor(arch, wanted.compiler);
  const base = wanted.base ?? "allnoconfig";
  const [source, tools] = await Promise.all([
    resolveSource(wanted.source, context),
    toolchainVersion(compiler, context.signal),
  ]);
  const version = await sourceVersion(source, context);
  const composed = composeFeatures(wanted.features ?? defaultFeatures(arch), {
    arch,
    version,
    presets: wanted.presets,
  });
  // Sorted, so that the order of asking decides neither the result nor the id. The user's come last: of several members
  // of a choice conf takes the last one.
  const user = userRequests(wanted).sort(bySymbol);
  checkPresets(composed.presets, user, version);
  const requests = overrideRequests([...composed.requests].sort(bySymbol), user);
  const features = composed.features.map((feature) => feature.name);
  const btf = requests.some(({ symbol, value }) => symbol === "DEBUG_INFO_BTF" && value.text !== "n");
  const toolchain = btf ? `${tools}\npahole ${await paholeVersion(context.signal)}` : tools;
  const values = new Map(requests.map(({ symbol, value }) => [symbol, value]));
  const signing = await moduleKey({ values }, { base, compiler }, context);
  const stripped = wanted.stripModules === true;
  const makeArgs = [
    ...compilerArgs(compiler),
    ...(btf ? WITH_PAHOLE : []),
    ...(signing === undefined ? [] : keyArgs(signing)),
    ...(stripped ? ["INSTALL_MOD_STRIP=1"] : []),
  ];
  const key = {
    recipe: RECIPE,
    source: source.id,
    arch,
    base,
    requests: printRequests(requests),
    toolchain,
    signing: signing?.certificate,
    stripped: stripped || undefined,
  };
  const id = createHash("sha256").update(JSON.stringify(key)).digest("hex").slice(0, 32);
  const { presets } = composed;
  return { arch, compiler, source, features, presets, requests, base, toolchain, makeArgs, stripped, id };
}

/**
 * Resolves a configuration as the tree's own conf would, and proves it. Cached.
 *
 * @throws KernelError KERNEL_CONFIG that lists every symbol that did not take effect, with wanted and actual value,
 * who asked for it and what it would take; KERNEL_FEATURE, KERNEL_SOURCE, KERNEL_TOOL_MISSING.
 */
export async function configureKernel(
  wanted: KernelConfiguration & KernelContext,
): Promise<ConfiguredKernel> {
  return configurePlan(await planConfiguration(wanted, wanted), wanted);
}

/**
 * {@link configureKernel} for what is already planned. What conf makes of the requests is taken when it honours them all;
 * else what they need is found and comes with them, as few options as can be.
 */
export async function configurePlan(
  plan: ConfigurationPlan,
  context: KernelContext,
): Promise<ConfiguredKernel> {
  const { id, requests, features } = plan;
  const path = join(kernelCacheDir(context), "configs", `${id}.config`);
  let text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) {
    text = await resolvePlan(plan, context);
    await writeFileAtomic(path, text);
  } else await markUsed(path);
  const config = parseConfig(text);
  const refused = proveConfig(requests, config);
  const { presets: chosen } = plan;
  const presets = chosen.map(({ name }) => name);
  const boot = chosen.flatMap((preset) => preset.boot);
  const configured = { config, text, requests, features, presets, boot, id };
  if (refused.length === 0) return configured;
  const solved = await solvedText(plan, { refused, text }, context);
  return { ...configured, config: parseConfig(solved), text: solved };
}

// Kept like the other, under a name of its own.
async function solvedText(
  plan: ConfigurationPlan,
  unsolved: Unsolved,
  context: KernelContext,
): Promise<string> {
  const path = join(kernelCacheDir(context), "configs", `${plan.id}.solved.config`);
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) {
    await markUsed(path);
    return kept;
  }
  const { base, requests } = plan;
  const text = await withTree(plan, context, async (srctree, host) =>
    solveRefused({ srctree, base, requests, ...unsolved }, host),
  );
  await writeFileAtomic(path, text);
  return text;
}

/** Holds a plan's tree. In a directory of its own: no build ever sees a configuration that is not proved. */
export async function withTree<T>(
  plan: ConfigurationPlan,
  context: KernelContext,
  work: (tree: string, host: TreeHost) => Promise<T>,
): Promise<T> {
  // Kconfig asks pahole for its version, so that it has to be there before the configuration is known.
  const btf = plan.requests.filter(({ symbol }) => symbol === "DEBUG_INFO_BTF");
  const values = new Map(btf.map(({ symbol, value }) => [symbol, value]));
  await checkTools(plan.compiler, { values }, context.signal);
  const directory = join(kernelCacheDir(context), "conf", `${plan.source.id}-${plan.arch}`);
  return withLock(`${directory}.lock`, { signal: context.signal }, async () => {
    const tree = await cachedTree(plan.source, context);
    using host = await kconfigHost(tree, directory, plan, context);
    return work(tree, host);
  });
}

/**
 * The tree of a source, noted as used. Ask for it with a lock in "locks" or "conf": those tell that trees are in use.
 */
export async function cachedTree(source: ResolvedSource, context: KernelContext): Promise<string> {
  const tree = await fetchSource(source, context);
  // A directory of the user's is not ours to touch.
  if (source.unpack !== undefined) await markUsed(tree);
  return tree;
}

async function resolvePlan(plan: ConfigurationPlan, context: KernelContext): Promise<string> {
  const { requests: values, base } = plan;
  return withTree(plan, context, async (srctree, host) => {
    const { text } = await resolveConfig({ srctree, base, values }, host);
    return text;
  });
}

/**
 * The build directory for a plan. Kernels of one source and compiler share it, so that a changed option compiles only
 * what it touches: Kbuild records each object's command and the symbols that it looks at. Options that touch nearly
 * everything have directories of their own, since going to and fro between them would compile all each time.
 */
export function objectsDirectory(plan: ConfigurationPlan, context: KernelContext): string {
  const wide = plan.requests.filter(({ symbol }) =>
    /^(SMP|MODULES|MODULE_SIG|DEBUG_INFO_.*|CC_OPTIMIZE_.*)$/.test(symbol),
  );
  const family = JSON.stringify([plan.source.id, plan.arch, plan.toolchain, printRequests(wide)]);
  const kind = plan.compiler.compiler === "clang" ? `${plan.arch}-clang` : plan.arch;
  const name = `${kind}-${createHash("sha256").update(family).digest("hex").slice(0, 16)}`;
  return join(kernelCacheDir(context), "objects", name);
}

function bySymbol(a: ConfigRequest, b: ConfigRequest): number {
  return a.symbol < b.symbol ? -1 : 1;
}

function userRequests(wanted: KernelConfiguration): ConfigRequest[] {
  const values: Record<string, ReturnType<typeof valueOf>> = {};
  for (const [name, text] of Object.entries(wanted.config ?? {})) {
    const symbol = name.startsWith("CONFIG_") ? name.slice(7) : name;
    if (!isSymbolName(symbol)) {
      throw new KernelError("KERNEL_CONFIG", `"${name}" is no name of a symbol`);
    }
    values[symbol] = valueOf(text);
  }
  const { origin = "config" } = wanted;
  if (typeof origin === "string") return requestsOf(values, origin);
  return requestsOf(values, "").map((request) => ({ ...request, origin: origin(request.symbol) }));
}

/** The version of a source. Debian's and kernel.org's are in the name; a tarball's name may say anything. */
async function sourceVersion(source: ResolvedSource, context: KernelContext): Promise<string | undefined> {
  const { kind } = source.provenance;
  const named = /^linux-(?:source-)?(\d+\.\d+)/.exec(source.id)?.[1];
  if (named !== undefined && (kind === "debian" || kind === "kernel.org")) return named;
  const tree = await fetchSource(source, context);
  const makefile = await readFile(join(tree, "Makefile"), "utf8");
  const [, major, minor] = /^VERSION = (\d+)\nPATCHLEVEL = (\d+)$/m.exec(makefile) ?? [];
  return major === undefined ? undefined : `${major}.${minor}`;
}
