/** Presets against the Kconfig files of a kernel, on every architecture that they claim. */
import { loadKconfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { composeFeatures, listPresets } from "../../src/index.ts";
import type { Arch } from "../../src/index.ts";
import { kconfigOf, resolver } from "./kconfig-resolver.ts";

// What sets these apart from others of their switch is on the command line or in a file of the running kernel.
const SAME = new Set(["kpti=on", "fault-around=on", "audit=off"]);

/** On x86_64 each preset alone, so that what one lacks is found; elsewhere all first positions, all second and so on. */
export function testPresets(series: "6.1" | "6.12"): void {
  const groups: readonly (readonly [Arch, readonly (readonly string[])[]])[] = [
    ["x86_64", listPresets().map(({ name }) => [name])],
    ["arm64", together("arm64")],
    ["riscv64", together("riscv64")],
  ];
  test.each(groups)(
    `every preset for %s takes effect on ${series}, and no two of a switch make the same kernel`,
    { timeout: 240_000 },
    async (arch, all) => {
      const { srctree, nodeHost } = kconfigOf(series, arch, "features");
      using host = nodeHost();
      const resolve = resolver(await loadKconfig({ srctree, host }));
      const made = new Map<string, string>();
      const refused: string[] = [];
      for (const presets of all) {
        const { requests } = composeFeatures(["base"], { arch, version: series, presets });
        refused.push(...resolve(requests).map((refusal) => `${presets.join(" ")}: ${refusal}`));
        for (const name of presets) made.set(name, relevant(resolve.text(), name));
      }
      expect(refused).toEqual([]);
      expect(made.size).toBeGreaterThan(25);
      for (const [name, text] of made) {
        if (SAME.has(name)) continue;
        for (const [other, otherText] of made) {
          if (other !== name && !SAME.has(other) && switchOf(other) === switchOf(name)) {
            expect(text, `${name} and ${other}`).not.toBe(otherText);
          }
        }
      }
    },
  );
}

/** The presets of an architecture in as few sets as there are positions. */
function together(arch: Arch): string[][] {
  const sets: string[][] = [];
  const seen = new Map<string, number>();
  for (const preset of listPresets()) {
    if (!preset.arch.includes(arch)) continue;
    const position = seen.get(switchOf(preset.name)) ?? 0;
    seen.set(switchOf(preset.name), position + 1);
    (sets[position] ??= []).push(preset.name);
  }
  return sets;
}

/** The lines about symbols that any position of the preset's switch names. */
function relevant(text: string, name: string): string {
  const symbols = new Set(
    listPresets()
      .filter((preset) => switchOf(preset.name) === switchOf(name))
      .flatMap(({ fragment }) => fragment.requests.map(({ symbol }) => symbol)),
  );
  const lines = text
    .split("\n")
    .filter((line) => symbols.has(/^(?:# )?CONFIG_(\w+)[= ]/.exec(line)?.[1] ?? ""));
  return lines.join("\n");
}

function switchOf(name: string): string {
  return name.replace(/=.*/, "");
}
