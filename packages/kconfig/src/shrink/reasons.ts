/** Why each line of a defconfig is there. */
import { parseConfig, printEntry } from "../config.ts";
import type { ConfigEntry } from "../config.ts";
import { formatLocation } from "../errors.ts";
import type { ConfigRequest } from "../fragment.ts";
import { minimize } from "../solve/minimize.ts";
import type { KconfigTree } from "../tree.ts";
import { candidatesOf } from "./candidates.ts";
import type { ShrinkState } from "./state.ts";

/** A line of a configuration and why it is there, in words. */
export interface ReasonedEntry extends Pick<ConfigEntry, "symbol" | "value"> {
  readonly why: string;
}

/**
 * A defconfig of what shrink() found, each line with its reason: who requires it, what happened without it, what else needs
 * it, or that it was turned off. It is the shortest one, and what is needed beside, also where that is the default. `untried` as shrink() returned it.
 *
 * @example
 * ```ts no-run
 * import { printReasoned, reasonsFor, shrink } from "@justenough/kconfig";
 * declare const options: import("@justenough/kconfig").ShrinkOptions;
 * const { state, untried } = await shrink(options);
 * console.log(printReasoned(reasonsFor(options.tree, { ...options, state, untried })));
 * ```
 */
export function reasonsFor(
  tree: KconfigTree,
  found: {
    readonly state: ShrinkState;
    readonly untried: readonly string[];
    readonly required: readonly ConfigRequest[];
  },
): readonly ReasonedEntry[] {
  const { state, untried, required } = found;
  const asked = new Map(required.map((one) => [one.symbol, one]));
  const needed = new Map(state.needed.map(({ symbol, why }) => [symbol, why]));
  const removed = new Map(state.removed.map(({ symbol, step }) => [symbol, step]));
  const stay = new Set([...asked.keys(), ...needed.keys()]);
  const goes = new Map(candidatesOf(tree, state.text).map((one) => [one.symbol, one.goes]));
  const whyOf = ({ symbol, value }: Omit<ReasonedEntry, "why">): string => {
    const request = asked.get(symbol);
    if (request !== undefined) {
      const where = request.location === undefined ? "" : ` (${formatLocation(request.location)})`;
      return `required by ${request.origin}${where}`;
    }
    if (value.text === "n") {
      const step = removed.get(symbol);
      return step === undefined ? "nobody asks for it" : `not missed: turned off in step ${step}`;
    }
    const above = (goes.get(symbol) ?? []).filter((one) => one !== symbol && stay.has(one));
    if (above.length > 0) return `needed by ${above.join(", ")}`;
    const fault = needed.get(symbol);
    if (untried.includes(symbol))
      return fault === undefined
        ? "not tried: the budget ended first"
        : `missed before other options were turned off, and not tried since: ${fault}`;
    if (fault !== undefined) return `removing it: ${fault}`;
    if (goes.has(symbol)) return "without it no fewer options are on";
    return value.kind === "tristate" ? "comes with the others" : "as it was at the start";
  };
  const shortest = parseConfig(minimize(tree, state.text)).values;
  const entries = [...parseConfig(state.text).values].map(([symbol, value]) => ({ symbol, value }));
  return entries
    .filter(({ symbol }) => shortest.has(symbol) || stay.has(symbol))
    .map((entry) => ({ ...entry, why: whyOf(entry) }));
}

/** Lines that conf reads, each below a comment with its reason. */
export function printReasoned(entries: readonly ReasonedEntry[]): string {
  return entries
    .map(({ why, symbol, value }) => `# ${why.replaceAll("\n", " ")}\n${printEntry(symbol, value)}\n`)
    .join("");
}
