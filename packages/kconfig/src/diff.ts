import type { Config } from "./config.ts";
import { sameValue } from "./value.ts";
import type { ConfigValue } from "./value.ts";

/** One symbol that differs. A symbol that a side does not name, or has as n, is undefined there. */
export interface ConfigChange {
  readonly symbol: string;
  readonly before: ConfigValue | undefined;
  readonly after: ConfigValue | undefined;
}

/** What changed, in the order of the names. Not named and n are the same: neither builds anything. */
export interface ConfigDiff {
  readonly added: readonly ConfigChange[];
  readonly removed: readonly ConfigChange[];
  readonly changed: readonly ConfigChange[];
}

/** Compares two configurations by meaning: order, comments and the spelling of numbers do not matter. */
export function diffConfigs(before: Pick<Config, "values">, after: Pick<Config, "values">): ConfigDiff {
  const added: ConfigChange[] = [];
  const removed: ConfigChange[] = [];
  const changed: ConfigChange[] = [];
  for (const symbol of [...new Set([...before.values.keys(), ...after.values.keys()])].sort()) {
    const a = inEffect(before.values.get(symbol));
    const b = inEffect(after.values.get(symbol));
    if (a === undefined && b === undefined) continue;
    const change = { symbol, before: a, after: b };
    if (a === undefined) added.push(change);
    else if (b === undefined) removed.push(change);
    else if (!sameValue(a, b)) changed.push(change);
  }
  return { added, removed, changed };
}

function inEffect(value: ConfigValue | undefined): ConfigValue | undefined {
  return value?.kind === "tristate" && value.text === "n" ? undefined : value;
}
