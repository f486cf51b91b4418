import type { Config } from "./config.ts";
import { KconfigError, formatLocation } from "./errors.ts";
import type { Location } from "./errors.ts";
import type { Explanation } from "./explain.ts";
import type { ConfigRequest } from "./fragment.ts";
import { sameValue, writeValue } from "./value.ts";
import type { ConfigValue } from "./value.ts";

/** A request that did not take effect. */
export interface Refusal {
  readonly symbol: string;
  readonly wanted: ConfigValue;
  /** undefined: the configuration does not name the symbol, so it is unknown or its dependencies are not met. */
  readonly actual: ConfigValue | undefined;
  readonly origin: string;
  readonly location?: Location | undefined;
  /** Why it is refused and what would allow it; explainRefusals() adds it. */
  readonly explanation?: Explanation | undefined;
  /** Why there is no explanation, such as a symbol that the tree does not have. */
  readonly problem?: string | undefined;
}

/**
 * Compares what was requested with what a configuration has, and returns every request that is not in effect.
 * A wanted n is met by a symbol that is not there.
 */
export function proveConfig(requests: readonly ConfigRequest[], actual: Pick<Config, "values">): Refusal[] {
  const refusals: Refusal[] = [];
  for (const { symbol, value, origin, location } of requests) {
    const found = actual.values.get(symbol);
    const off = value.kind === "tristate" && value.text === "n";
    if (off && found === undefined) continue;
    if (found !== undefined && sameValue(value, found)) continue;
    refusals.push({ symbol, wanted: value, actual: found, origin, location });
  }
  return refusals;
}

/** One line for a refusal: the symbol, its wanted and its actual value, and who wanted it. */
export function formatRefusal(refusal: Refusal): string {
  const actual = refusal.actual === undefined ? "not set" : writeValue(refusal.actual);
  const why = reasonOf(refusal);
  const where = refusal.location === undefined ? "" : ` (${formatLocation(refusal.location)})`;
  return `"${refusal.symbol}" should be ${writeValue(refusal.wanted)} but is ${actual}, wanted by ${refusal.origin}${where}${why}`;
}

function reasonOf({ explanation, problem, actual }: Refusal): string {
  if (problem !== undefined) return `: ${problem}`;
  if (explanation !== undefined) {
    const { because, requires, allowed, symbol } = explanation;
    if (allowed) return `: ${because}`;
    if (requires === undefined || requires.length === 0)
      return `: ${because}; nothing was found that would allow it`;
    const needs = requires.map(({ symbol: name, value, location, settable }) => {
      const where = location === undefined ? "" : ` (${location.file}:${location.line})`;
      return `${name}=${value}${settable ? "" : ", which nobody can set"}${where}`;
    });
    return `: ${because}; ${symbol} needs ${needs.join(", ")}`;
  }
  return actual === undefined ? "; the symbol does not exist or what it depends on is not met" : "";
}

/** An error that lists all refusals at once, or undefined when there are none. */
export function refusalError(refusals: readonly Refusal[]): KconfigError | undefined {
  if (refusals.length === 0) return undefined;
  const lines = refusals.map(formatRefusal);
  const message =
    lines.length === 1
      ? `A symbol did not take effect: ${lines[0]}`
      : `${lines.length} symbols did not take effect:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  return new KconfigError("KCONFIG_REFUSED", message, {
    location: undefined,
    hint: "Ask for what it needs too, or take the request back",
  });
}
