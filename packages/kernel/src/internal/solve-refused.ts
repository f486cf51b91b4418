/** What requests need beside, when conf alone does not honour them. */
import {
  KconfigError,
  explainRefusals,
  formatUnsolvable,
  loadKconfig,
  refusalError,
  solve,
  solveBase,
} from "@justenough/kconfig";
import type { ConfigBase, ConfigRequest, KconfigTree, Refusal, TreeHost } from "@justenough/kconfig";
import { KernelError } from "../errors.ts";

/** What conf made of requests, and what of them it refused. */
export interface Unsolved {
  readonly text: string;
  readonly refused: readonly Refusal[];
}

/**
 * The configuration in which all requests are met, with the fewest further options, or the fewest changes to a base that is a
 * configuration.
 *
 * @throws KernelError KERNEL_CONFIG: why each request that conf refuses is one, when there is a symbol or a value that the tree does
 * not have; and what excludes what, when no configuration meets them all.
 */
export async function solveRefused(
  request: Unsolved & {
    readonly srctree: string;
    readonly base: ConfigBase;
    readonly requests: readonly ConfigRequest[];
  },
  host: TreeHost,
): Promise<string> {
  const { srctree, base, requests, text, refused } = request;
  const tree = await loadKconfig({ srctree, host });
  const solved = await solve(tree, requests, { base: solveBase({ srctree, base }, host) }).catch(
    (error: unknown) => {
      if (error instanceof KconfigError && error.code === "KCONFIG_VALUE") throw refusal(refused, text, tree);
      throw error;
    },
  );
  if (solved.kind === "solved") return solved.text;
  const core = new Set(solved.core.map(({ symbol }) => symbol));
  // Never empty: what holds in one configuration, conf's, is no core.
  const inCore = refused.filter(({ symbol }) => core.has(symbol));
  // What has nothing to do with others is told in the words of its own conditions.
  if (core.size === 1) throw refusal(inCore, text, tree);
  const words = solved.core.map(({ symbol, value }) => `${symbol}=${value.text}`);
  tree.load(text);
  throw new KernelError("KERNEL_CONFIG", formatUnsolvable(solved), {
    hint: `${words.join(" and ")} exclude each other: take one of them back`,
    refusals: explainRefusals(inCore, tree),
  });
}

function refusal(refused: readonly Refusal[], text: string, tree: KconfigTree): KernelError {
  tree.load(text);
  const refusals = explainRefusals(refused, tree);
  const error = refusalError(refusals);
  return new KernelError("KERNEL_CONFIG", error?.message ?? "A symbol did not take effect", {
    hint: error?.hint,
    cause: error,
    refusals,
  });
}
