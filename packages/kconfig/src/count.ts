import type { Config } from "./config.ts";

/** How many symbols a configuration sets. */
export interface SymbolCount {
  /** `y` and `m` together: what is called "set" when two configurations are compared in size. */
  readonly set: number;
  readonly y: number;
  readonly m: number;
  /** Numbers and strings: they have a value in any configuration, so they are not part of `set`. */
  readonly other: number;
}

/** Counts the symbols of a configuration by value. */
export function countSymbols(config: Pick<Config, "values">): SymbolCount {
  let y = 0;
  let m = 0;
  let other = 0;
  for (const value of config.values.values()) {
    if (value.kind !== "tristate") other++;
    else if (value.text === "y") y++;
    else if (value.text === "m") m++;
  }
  return { set: y + m, y, m, other };
}
