/** Features against the Kconfig files of a kernel, on every architecture that they claim. */
import { fileURLToPath } from "node:url";
import { formatRefusal, resolveConfig } from "@justenough/kconfig";
import { kernelEnvironment, nodeHost } from "@justenough/kconfig/node";
import { expect, test } from "vitest";
import { answersDirectory } from "../../../kconfig/test/reference/cache.ts";
import { kernelTree } from "../../../kconfig/test/reference/kernel-tree.ts";
import { composeFeatures, listFeatures } from "../../src/index.ts";
import type { Arch } from "../../src/index.ts";

const ARCH = { x86_64: "x86_64", arm64: "arm64", riscv64: "riscv" } as const;
const PAHOLE = fileURLToPath(new URL("../fixtures/pahole", import.meta.url));

/** Each feature alone with base and what it needs, then all together: what one lacks is found, and what two dispute. */
export function testFeatures(series: "6.1" | "6.12"): void {
  test.each(["x86_64", "arm64", "riscv64"] as const)(
    `every feature for %s takes effect on ${series}`,
    { timeout: 240_000 },
    async (arch) => {
      const claimed = listFeatures()
        .filter((feature) => feature.arch.includes(arch))
        .map(({ name }) => name);
      const prove = featureProver(arch, series);
      const refused: string[] = [];
      for (const name of claimed) {
        for (const refusal of await prove(["base", name])) refused.push(`${name}: ${refusal}`);
      }
      for (const refusal of await prove(claimed)) refused.push(`all together: ${refusal}`);
      expect(refused).toEqual([]);
    },
  );
}

// No cross compiler is needed: compiler probes are answered by this machine's gcc, which can only hide symbols of
// another architecture.
function featureProver(
  arch: Arch,
  series: "6.1" | "6.12",
): (features: readonly string[]) => Promise<readonly string[]> {
  const { directory: srctree } = kernelTree(series);
  const env = kernelEnvironment({ srctree, arch: ARCH[arch], env: { PATH: process.env["PATH"], PAHOLE } });
  const answers = answersDirectory(srctree, `features-${arch}`);
  return async (features) => {
    using host = nodeHost({ env, answers });
    const { requests } = composeFeatures(features, { arch, version: series });
    const { refusals } = await resolveConfig({ srctree, base: "allnoconfig", values: requests }, host);
    return refusals.map(formatRefusal);
  };
}
