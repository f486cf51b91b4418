/** How many of some literals hold, as literals (the totalizer of Bailleux and Boufkhad). */
import type { Lit } from "./cnf.ts";

/** What it takes to make new variables and clauses. */
export interface Extension {
  readonly variable: () => Lit;
  readonly clause: (...lits: readonly Lit[]) => void;
}

/** Literals that hold when at least 1, 2, … of the given ones do. */
export function atLeast(lits: readonly Lit[], extension: Extension): readonly Lit[] {
  if (lits.length <= 1) return lits;
  const middle = lits.length >> 1;
  const left = atLeast(lits.slice(0, middle), extension);
  const right = atLeast(lits.slice(middle), extension);
  const sums = lits.map(() => extension.variable());
  for (let i = 0; i <= left.length; i++) {
    for (let j = 0; j <= right.length; j++) {
      const sum = sums[i + j - 1];
      if (sum === undefined) continue;
      const given = [left[i - 1], right[j - 1]].flatMap((lit) => (lit === undefined ? [] : [-lit]));
      extension.clause(...given, sum);
    }
  }
  return sums;
}
