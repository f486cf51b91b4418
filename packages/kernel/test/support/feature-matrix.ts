/** Features against the Kconfig files of a kernel, on every architecture that they claim. */
import { loadKconfig, resolveConfig } from "@justenough/kconfig";
import type { ConfigRequest } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { composeFeatures, listFeatures } from "../../src/index.ts";
import { kconfigOf, resolver } from "./kconfig-resolver.ts";

/** Each feature alone with base and what it needs, then all together: what one lacks is found, and what two dispute. */
export function testFeatures(series: "6.1" | "6.12"): void {
  test.each(["x86_64", "arm64", "riscv64"] as const)(
    `every feature for %s takes effect on ${series}`,
    { timeout: 240_000 },
    async (arch) => {
      const { srctree, nodeHost } = kconfigOf(series, arch, "features");
      using host = nodeHost();
      const resolve = resolver(await loadKconfig({ srctree, host }));
      const requestsOf = (names: readonly string[]): readonly ConfigRequest[] =>
        composeFeatures(names, { arch, version: series }).requests;

      const claimed = listFeatures()
        .filter((feature) => feature.arch.includes(arch))
        .map(({ name }) => name);
      const refused: string[] = [];
      for (const names of [...claimed.map((name) => ["base", name]), claimed]) {
        const refusals = resolve(requestsOf(names));
        refused.push(...refusals.map((refusal) => `${names.join(" ")}: ${refusal}`));
      }
      expect(refused).toEqual([]);

      // The shortcut gives what a build gets.
      const values = requestsOf(claimed);
      const { text, refusals } = await resolveConfig({ srctree, base: "allnoconfig", values }, host);
      expect(refusals).toEqual([]);
      expect(resolve.text()).toBe(text);
    },
  );
}
