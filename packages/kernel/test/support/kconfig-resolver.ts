/** The Kconfig files of a kernel, evaluated with no compiler but this machine's. */
import { fileURLToPath } from "node:url";
import { explainRefusals, formatRefusal, parseConfig, printRequests, proveConfig } from "@justenough/kconfig";
import type { ConfigRequest, KconfigTree } from "@justenough/kconfig";
import { kernelEnvironment, nodeHost } from "@justenough/kconfig/node";
import { answersDirectory } from "../../../kconfig/test/reference/cache.ts";
import { kernelTree } from "../../../kconfig/test/reference/kernel-tree.ts";
import type { Arch } from "../../src/index.ts";

const ARCH = { x86_64: "x86_64", arm64: "arm64", riscv64: "riscv" } as const;
const PAHOLE = fileURLToPath(new URL("../fixtures/pahole", import.meta.url));

/** A series' tree, and the host that answers its shell commands; `purpose` names where the answers are kept. */
export function kconfigOf(
  series: "6.1" | "6.12",
  arch: Arch,
  purpose: string,
): { readonly srctree: string; readonly nodeHost: () => ReturnType<typeof nodeHost> } {
  const { directory: srctree } = kernelTree(series);
  // No cross compiler is needed: compiler probes are answered by this machine's gcc, which can only hide symbols of
  // another architecture.
  const env = kernelEnvironment({
    srctree,
    arch: ARCH[arch],
    env: { PATH: process.env["PATH"], PAHOLE },
  });
  return {
    srctree,
    nodeHost: () => nodeHost({ env, answers: answersDirectory(srctree, `${purpose}-${arch}`) }),
  };
}

/**
 * What resolveConfig() does, with one tree for all: a symbol that nobody asks for is n, as one without defaults is
 * anyway. Members of a choice are left alone, one of them has to be on.
 */
export function resolver(tree: KconfigTree): {
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
