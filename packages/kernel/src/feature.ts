import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { mergeRequests, parseFragment } from "@justenough/kconfig";
import type { ConfigRequest, Fragment } from "@justenough/kconfig";
import { ARCHES } from "./arch.ts";
import type { Arch } from "./arch.ts";
import { KernelError } from "./errors.ts";
import { nearest } from "./internal/nearest.ts";

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

/** Features and all that they need, merged. */
export interface ComposedFeatures {
  /** In the order in which they apply: needs first. */
  readonly features: readonly Feature[];
  readonly requests: readonly ConfigRequest[];
}

// Both src/ and dist/ stand beside features/.
const DIRECTORY = fileURLToPath(new URL("../features/", import.meta.url));

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
 * Merges features with all that they need. `version`, such as "6.12", leaves out symbols that this kernel does not
 * have (`# since:` and `# until:` in the fragment); without it all are kept.
 *
 * @throws KernelError KERNEL_FEATURE for a name that does not exist, for one that does not exist on this
 * architecture, and for two features that contradict each other.
 */
export function composeFeatures(
  names: readonly string[],
  options: { readonly arch: Arch; readonly version?: string | undefined },
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
  const applicable = [...chosen.values()].flatMap((feature) =>
    fragmentsOn(feature, options.arch)
      .flatMap((fragment) => fragment.requests)
      .filter((request) => appliesTo(request, options.version)),
  );
  const { requests, conflicts } = mergeRequests(applicable);
  if (conflicts.length > 0) {
    const lines = conflicts.map((conflict) => conflict.message).join("\n  ");
    throw new KernelError("KERNEL_FEATURE", `Features contradict each other:\n  ${lines}`);
  }
  return { features: [...chosen.values()], requests };
}

function fragmentsOn(feature: Feature, arch: Arch): Fragment[] {
  return feature.fragments.filter((fragment) => archesOf(fragment).includes(arch));
}

// A PC powers off by ACPI, which needs PCI; other machines ask their firmware, and need nothing.
function needsOn(feature: Feature, arch: Arch): Set<string> {
  return new Set(fragmentsOn(feature, arch).flatMap(needsOf));
}

function needsOf(fragment: Fragment): string[] {
  return (fragment.header.get("needs") ?? "").split(/\s+/).filter((word) => word !== "");
}

function appliesTo(request: ConfigRequest, version: string | undefined): boolean {
  if (version === undefined) return true;
  const since = request.conditions.get("since");
  const until = request.conditions.get("until");
  if (since !== undefined && compareSeries(version, since) < 0) return false;
  return until === undefined || compareSeries(version, until) <= 0;
}

/** Compares the first two numbers of versions: 6.9 is before 6.12, and 6.12.3 equals 6.12. */
function compareSeries(a: string, b: string): number {
  const numbers = (text: string): number[] => (/^(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
  const [major = 0, minor = 0] = numbers(a);
  const [otherMajor = 0, otherMinor = 0] = numbers(b);
  return major === otherMajor ? minor - otherMinor : major - otherMajor;
}

function archesOf(fragment: Fragment): readonly Arch[] {
  const words = (fragment.header.get("arch") ?? "all").split(/\s+/);
  return words.includes("all") ? ARCHES : ARCHES.filter((arch) => words.includes(arch));
}

function readFeatures(): Map<string, Feature> {
  const found = new Map<string, Feature>();
  // Sorted, so that base.config comes before base.x86_64.config and the order is the same everywhere.
  for (const name of readdirSync(DIRECTORY)
    .filter((entry) => entry.endsWith(".config"))
    .sort((a, b) => (a.slice(0, -7) < b.slice(0, -7) ? -1 : 1))) {
    const fragment = parseFragment(readFileSync(DIRECTORY + name, "utf8"), { file: `features/${name}` });
    const feature = fragment.header.get("feature");
    const why = fragment.header.get("why");
    if (feature === undefined || why === undefined) {
      throw new KernelError("KERNEL_FEATURE", `features/${name} has no "# feature:" or no "# why:"`);
    }
    const before = found.get(feature);
    found.set(feature, {
      name: feature,
      why: before?.why ?? why,
      arch: ARCHES.filter(
        (arch) => before?.arch.includes(arch) === true || archesOf(fragment).includes(arch),
      ),
      needs: [...new Set([...(before?.needs ?? []), ...needsOf(fragment)])],
      fragments: [...(before?.fragments ?? []), fragment],
    });
  }
  return found;
}
