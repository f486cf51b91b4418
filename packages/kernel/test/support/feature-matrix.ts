/** Features against the Kconfig files of a kernel, on every architecture that they claim. */
import { fileURLToPath } from "node:url";
import {
  explainRefusals,
  formatRefusal,
  loadKconfig,
  parseConfig,
  printRequests,
  proveConfig,
  resolveConfig,
} from "@justenough/kconfig";
import type { ConfigRequest, KconfigTree } from "@justenough/kconfig";
import { kernelEnvironment, nodeHost } from "@justenough/kconfig/node";
import { expect, test } from "vitest";
import { answersDirectory } from "../../../kconfig/test/reference/cache.ts";
import { kernelTree } from "../../../kconfig/test/reference/kernel-tree.ts";
import { composeFeatures, listFeatures } from "../../src/index.ts";

const ARCH = { x86_64: "x86_64", arm64: "arm64", riscv64: "riscv" } as const;
const PAHOLE = fileURLToPath(new URL("../fixtures/pahole", import.meta.url));

/** Each feature alone with base and what it needs, then all together: what one lacks is found, and what two dispute. */
export function testFeatures(series: "6.1" | "6.12"): void {
  test.each(["x86_64", "arm64", "riscv64"] as const)(
    `every feature for %s takes effect on ${series}`,
    { timeout: 240_000 },
    async (arch) => {
      const { directory: srctree } = kernelTree(series);
      // No cross compiler is needed: compiler probes are answered by this machine's gcc, which can only hide symbols of
      // another architecture.
      const env = kernelEnvironment({
        srctree,
        arch: ARCH[arch],
        env: { PATH: process.env["PATH"], PAHOLE },
      });
      using host = nodeHost({ env, answers: answersDirectory(srctree, `features-${arch}`) });
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

// What resolveConfig() does, with one tree for all: a symbol that nobody asks for is n, as one without defaults is anyway.
// Members of a choice are left alone, one of them has to be on.
function resolver(tree: KconfigTree): {
  (requests: readonly ConfigRequest[]): readonly string[];
  readonly text: () => string;
} {
  const off = tree.names.filter((name) => {
    const symbol = tree.symbol(name);
    if (symbol === undefined || !["bool", "tristate"].includes(symbol.type)) return false;
    return symbol.choice === undefined && symbol.defaults.length + symbol.impliedBy.length > 0;
  });
  const nothing = off.map((name) => `# CONFIG_${name} is not set\n`).join("");
  const resolve = (requests: readonly ConfigRequest[]): readonly string[] => {
    // conf takes the last line that names a symbol.
    tree.load(nothing + printRequests(requests));
    const refusals = proveConfig(requests, parseConfig(tree.configText()));
    return explainRefusals(refusals, tree).map(formatRefusal);
  };
  return Object.assign(resolve, { text: tree.configText });
}
