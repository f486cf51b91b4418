import { mergeRequests } from "@justenough/kconfig";
import type { ConfigRequest, Fragment } from "@justenough/kconfig";
import { ARCHES } from "./arch.ts";
import type { Arch } from "./arch.ts";
import { KernelError } from "./errors.ts";
import { appliesTo, archesOf, headerWords, readFragments } from "./fragment-files.ts";
import { nearest } from "./internal/nearest.ts";
import { selectPresets } from "./preset.ts";
import type { Preset } from "./preset.ts";

/** Something that a kernel can do, as data: one or more Kconfig fragments. */
export interface Feature {
  readonly name: string;
  /** What it is good for, in one line. */
  readonly why: string;
  /** The architectures that it exists for. */
  readonly arch: readonly Arch[];
  /** Features that come with it, on any architecture; a fragment's own needs come only where the fragment applies. */
  readonly needs: readonly string[];
  readonly fragments: readonly Fragment[];
}

/** Features and all that they need, merged with presets. */
export interface ComposedFeatures {
  /** In the order in which they apply: needs first. */
  readonly features: readonly Feature[];
  /** With those that they include. */
  readonly presets: readonly Preset[];
  readonly requests: readonly ConfigRequest[];
}

let features: ReadonlyMap<string, Feature> | undefined;

/**
 * All features, by name.
 *
 * @example
 * ```ts
 * import { listFeatures } from "@justenough/kernel";
 * for (const { name, why } of listFeatures()) console.log(name, why);
 * ```
 */
export function listFeatures(): Feature[] {
  features ??= readFeatures();
  return [...features.values()];
}

/** The features of a kernel that boots, prints and powers off, quietly: no network, no disk, no modules. */
export function defaultFeatures(arch: Arch = "x86_64"): string[] {
  const screen = arch === "x86_64" ? ["screen"] : [];
  return ["base", "quiet", "serial", ...screen, "poweroff", "ptys"];
}

/**
 * Merges features with all that they need, and with presets, which are of equal rank. `version`, such as "6.12", leaves
 * out symbols that this kernel does not have (`# since:` and `# until:` in the fragment); without it all are kept.
 *
 * @throws KernelError KERNEL_FEATURE or KERNEL_PRESET for a name that does not exist, for one that does not exist on
 * this architecture, and for two that contradict each other.
 */
export function composeFeatures(
  names: readonly string[],
  options: {
    readonly arch: Arch;
    readonly version?: string | undefined;
    /** As {@link selectPresets} takes them. */
    readonly presets?: readonly string[] | undefined;
  },
): ComposedFeatures {
  const all = new Map(listFeatures().map((feature) => [feature.name, feature]));
  const chosen = new Map<string, Feature>();
  const add = (name: string, path: readonly string[]): void => {
    if (chosen.has(name)) return;
    const feature = all.get(name);
    const asked = path.length === 0 ? "" : `, which "${path.at(-1)}" needs`;
    if (feature === undefined) {
      const near = nearest(name, all.keys());
      throw new KernelError("KERNEL_FEATURE", `There is no feature "${name}"${asked}`, {
        hint: near === undefined ? '"kbuild features" lists them' : `Did you mean "${near}"?`,
      });
    }
    if (!feature.arch.includes(options.arch)) {
      throw new KernelError(
        "KERNEL_FEATURE",
        `The feature "${name}"${asked} does not exist on ${options.arch}`,
      );
    }
    if (path.includes(name)) {
      throw new KernelError("KERNEL_FEATURE", `Features need each other: ${[...path, name].join(" > ")}`);
    }
    for (const need of needsOn(feature, options.arch)) add(need, [...path, name]);
    chosen.set(name, feature);
  };
  for (const name of names) add(name, []);
  const presets = selectPresets(options.presets ?? [], options.arch);
  const fragments = [
    ...[...chosen.values()].flatMap((feature) => fragmentsOn(feature, options.arch)),
    ...presets.map((preset) => preset.fragment),
  ];
  const applicable = fragments
    .flatMap((fragment) => fragment.requests)
    .filter((request) => appliesTo(request, options.version));
  const { requests, conflicts } = mergeRequests(applicable);
  if (conflicts.length > 0) {
    const lines = conflicts.map((conflict) => conflict.message).join("\n  ");
    const [code, who] =
      presets.length === 0
        ? (["KERNEL_FEATURE", "Features"] as const)
        : (["KERNEL_PRESET", "Features and presets"] as const);
    throw new KernelError(code, `${who} contradict each other:\n  ${lines}`);
  }
  return { features: [...chosen.values()], presets, requests };
}

function fragmentsOn(feature: Feature, arch: Arch): Fragment[] {
  return feature.fragments.filter((fragment) => archesOf(fragment).includes(arch));
}

// A PC powers off by ACPI, which needs PCI; other machines ask their firmware, and need nothing.
function needsOn(feature: Feature, arch: Arch): Set<string> {
  return new Set(fragmentsOn(feature, arch).flatMap((fragment) => headerWords(fragment, "needs")));
}

function readFeatures(): Map<string, Feature> {
  const found = new Map<string, Feature>();
  for (const fragment of readFragments("features")) {
    const feature = fragment.header.get("feature");
    const why = fragment.header.get("why");
    if (feature === undefined || why === undefined) {
      throw new KernelError("KERNEL_FEATURE", `${fragment.file} has no "# feature:" or no "# why:"`);
    }
    const before = found.get(feature);
    found.set(feature, {
      name: feature,
      why: before?.why ?? why,
      arch: ARCHES.filter(
        (arch) => before?.arch.includes(arch) === true || archesOf(fragment).includes(arch),
      ),
      needs: [...new Set([...(before?.needs ?? []), ...headerWords(fragment, "needs")])],
      fragments: [...(before?.fragments ?? []), fragment],
    });
  }
  return found;
}
