/** A smaller configuration that still passes a test. */
import type { ConfigRequest } from "../fragment.ts";
import type { KconfigTree } from "../tree.ts";
import { Ahead } from "./ahead.ts";
import { Plan } from "./plan.ts";
import type { ShrinkState } from "./state.ts";

/** What a test says of a configuration. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What is asked of {@link shrink}. */
export interface ShrinkOptions {
  readonly tree: KconfigTree;
  /** A complete configuration that passes the test, or the state in which an earlier search was left. */
  readonly from: string | ShrinkState;
  /** Holds in all that is tried, whatever the test says. */
  readonly required: readonly ConfigRequest[];
  /**
   * Builds it, boots it, asks it: whatever decides. The same configuration may be asked for again. Aborted when the answer is of
   * no use any more.
   */
  readonly test: (text: string, step: ShrinkStep, signal: AbortSignal) => Promise<Verdict>;
  /**
   * How many tests may run at once: beside the one that is asked for, those that are likely asked for next. What is found is the
   * same. Default: 1.
   */
  readonly parallel?: number | undefined;
  /** What is saved when options go together, in bytes say: big ones are tried first. Default: their number. */
  readonly saved?: ((symbols: readonly string[]) => number) | undefined;
  /** How likely an option is needed, between 0 and 1, before anything is known. Default: 0.2. */
  readonly chance?: ((symbol: string) => number) | undefined;
  /** Is told each time something is decided, and waited for. */
  readonly onState?: ((state: ShrinkState) => void | Promise<void>) | undefined;
  /** Whether the test of this configuration may be begun; one that is known already costs nothing. Default: always. */
  readonly mayTest?: ((text: string) => boolean) | undefined;
}

/** What is being tried. */
export interface ShrinkStep {
  /** Options that are to be turned off. */
  readonly off: readonly string[];
  /** All that goes with them. */
  readonly goes: readonly string[];
  readonly options: number;
}

/** What was found. */
export interface Shrunk {
  readonly state: ShrinkState;
  /**
   * Options of which is not known whether they are needed: the budget ended first. Without any, the configuration is
   * one-minimal: each option that may be turned off was, alone, and the test failed; or what is required or was missed would
   * go with it, or no fewer options would be on.
   */
  readonly untried: readonly string[];
}

/**
 * Turns off what a test does not miss. Several options go at once, as many as have an even chance to be all unneeded; when
 * the test fails they are halved until those that are needed are alone (Zeller and Hildebrandt, Simplifying and Isolating
 * Failure-Inducing Input, TSE 2002, with odds instead of equal parts). Only valid configurations are tried: the solver
 * makes them, as near to the last good one as can be. In the end each option that stays is tried alone once more.
 *
 * @throws KconfigError as solve() does, and what `test` throws.
 * @example
 * ```ts
 * import { loadKconfig, shrink } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n\nconfig USB\n\tbool "USB"\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * const { state } = await shrink({
 *   tree,
 *   from: "CONFIG_NET=y\nCONFIG_TCP=y\nCONFIG_USB=y\n",
 *   required: [],
 *   test: async (config) => (config.includes("TCP=y") ? { ok: true } : { ok: false, why: "no answer" }),
 * });
 * console.log(state.removed.map(({ symbol }) => symbol), state.needed); // [ "USB" ] [ { symbol: "TCP", why: "no answer", step: 1 } ]
 * ```
 */
export async function shrink(options: ShrinkOptions): Promise<Shrunk> {
  const { tree, from, onState } = options;
  const plan = new Plan(options);
  const ahead = new Ahead(plan, options);
  try {
    let at = plan.begin(typeof from === "string" ? completed(tree, from) : from);
    for (;;) {
      const asked = await plan.next(at);
      if (asked === undefined || !ahead.mayAsk(asked)) break;
      const { state } = at;
      at = plan.after(asked, await ahead.verdictOf(asked));
      if (at.state.needed !== state.needed || at.state.text !== state.text) await onState?.(at.state);
    }
    return { state: at.state, untried: await plan.untried(at) };
  } finally {
    await ahead.end();
  }
}

function completed(tree: KconfigTree, from: string): ShrinkState {
  tree.load(from, { file: ".config" });
  return { text: tree.configText(), step: 0, needed: [], removed: [], tests: 0, expected: 0 };
}
