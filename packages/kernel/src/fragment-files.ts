import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseFragment } from "@justenough/kconfig";
import type { ConfigRequest, Fragment } from "@justenough/kconfig";
import { ARCHES } from "./arch.ts";
import type { Arch } from "./arch.ts";

/** The fragments in a directory of this package, in an order that is the same everywhere. */
export function readFragments(
  directory: "features" | "presets",
  /** Who asks, by the file's name; default: as the header says. */
  originOf?: (file: string) => string,
): Fragment[] {
  // Both src/ and dist/ stand beside it.
  const path = fileURLToPath(new URL(`../${directory}/`, import.meta.url));
  // Sorted, so that base.config comes before base.x86_64.config.
  const names = readdirSync(path)
    .filter((entry) => entry.endsWith(".config"))
    .sort((a, b) => (a.slice(0, -7) < b.slice(0, -7) ? -1 : 1));
  return names.map((name) => {
    const text = readFileSync(path + name, "utf8");
    return parseFragment(text, { file: `${directory}/${name}`, origin: originOf?.(name) });
  });
}

/** The architectures that a fragment's header claims. */
export function archesOf(fragment: Fragment): readonly Arch[] {
  const words = (fragment.header.get("arch") ?? "all").split(/\s+/);
  return words.includes("all") ? ARCHES : ARCHES.filter((arch) => words.includes(arch));
}

/** The words of a header's line; none when there is no such line. */
export function headerWords(fragment: Fragment, key: string): string[] {
  return (fragment.header.get(key) ?? "").split(/\s+/).filter((word) => word !== "");
}

/** Whether a kernel of this version has the symbol, by `# since:` and `# until:`; without a version it may have all. */
export function appliesTo(request: ConfigRequest, version: string | undefined): boolean {
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
