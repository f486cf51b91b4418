import { explain, loadKconfig } from "@justenough/kconfig";
import type { ConfigRequest, Explanation } from "@justenough/kconfig";
import { configurePlan, planConfiguration, withTree } from "./configure.ts";
import type { KernelConfiguration } from "./configure.ts";
import type { KernelContext } from "./context.ts";

/** Why a symbol has its value in a kernel's configuration. */
export interface ExplainedOption {
  readonly explanation: Explanation;
  /** Who asks for it, if anybody does. */
  readonly request: ConfigRequest | undefined;
}

/**
 * Explains the value of a symbol (without CONFIG_) in the configuration of a kernel.
 *
 * @throws KernelError as configureKernel() does; KconfigError KCONFIG_VALUE for a symbol that the tree does not have.
 * @example
 * ```ts no-run
 * import { explainOption } from "@justenough/kernel";
 * const { explanation } = await explainOption("NET", { source: { kind: "debian", series: "6.12" }, features: ["base"] });
 * console.log(explanation.because);
 * ```
 */
export async function explainOption(
  symbol: string,
  options: KernelConfiguration & KernelContext,
): Promise<ExplainedOption> {
  const plan = await planConfiguration(options, options);
  const { text, requests } = await configurePlan(plan, options);
  return withTree(plan, options, async (srctree, host) => {
    const tree = await loadKconfig({ srctree, host });
    tree.load(text);
    const request = requests.find((one) => one.symbol === symbol);
    return { explanation: explain(tree, symbol), request };
  });
}
