/** Expressions of the Kconfig language as literals: one for "m or y", one for "y". */
import type { Comparison, Expr } from "../engine/expr.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { compareValues, holds } from "../engine/text-value.ts";
import { FALSE, TRUE } from "./cnf.ts";
import type { Cnf, Lit } from "./cnf.ts";

/** A tristate as two literals; y goes with on. */
export interface Pair {
  readonly on: Lit;
  readonly y: Lit;
}

export const NEVER: Pair = { on: FALSE, y: FALSE };
export const ALWAYS: Pair = { on: TRUE, y: TRUE };

/** Each value that a symbol can have, with the literal that says that it has it. */
export type Domain = readonly (readonly [text: string, is: Lit])[];

/** What symbols stand for. */
export interface SymbolLits {
  readonly cnf: Cnf;
  /** Values are compared as numbers where they are numbers (Dialect.comparesNumbers). */
  readonly comparesNumbers: boolean;
  readonly pairOf: (symbol: Sym) => Pair;
  /** Values of a number or string. */
  readonly textsOf: (symbol: Sym) => Domain;
}

/** Turns expressions into literals, each once. */
export class Expressions {
  readonly #lits: SymbolLits;
  readonly #known = new Map<Expr, Pair>();

  constructor(lits: SymbolLits) {
    this.#lits = lits;
  }

  /** None is y. */
  of(expr: Expr | undefined): Pair {
    if (expr === undefined) return ALWAYS;
    let pair = this.#known.get(expr);
    if (pair === undefined) this.#known.set(expr, (pair = this.#make(expr)));
    return pair;
  }

  #make(expr: Expr): Pair {
    const { cnf } = this.#lits;
    switch (expr.op) {
      case "symbol":
        return this.#lits.pairOf(expr.left);
      case "!": {
        const { on, y } = this.of(expr.left);
        return { on: -y, y: -on };
      }
      case "&&": {
        const parts = operandsOf(expr, "&&").map((part) => this.of(part));
        return { on: cnf.and(...parts.map(({ on }) => on)), y: cnf.and(...parts.map(({ y }) => y)) };
      }
      case "||": {
        const parts = operandsOf(expr, "||").map((part) => this.of(part));
        return { on: cnf.or(...parts.map(({ on }) => on)), y: cnf.or(...parts.map(({ y }) => y)) };
      }
      case "range":
        return NEVER;
      default: {
        const is = this.#compare(expr.op, expr.left, expr.right);
        return { on: is, y: is };
      }
    }
  }

  #compare(op: Comparison, left: Sym, right: Sym): Lit {
    const { cnf, comparesNumbers } = this.#lits;
    const type = (symbol: Sym): Sym["type"] => (comparesNumbers ? symbol.type : "string");
    const holding: Lit[] = [];
    const failing: Lit[] = [];
    for (const [one, isOne] of this.domain(left)) {
      for (const [two, isTwo] of this.domain(right)) {
        const order = compareValues({ text: one, type: type(left) }, { text: two, type: type(right) });
        (holds(op, order) ? holding : failing).push(cnf.and(isOne, isTwo));
      }
    }
    // Exactly one pair of values is there, so that the shorter list says it all.
    return holding.length <= failing.length ? cnf.or(...holding) : -cnf.or(...failing);
  }

  domain(symbol: Sym): Domain {
    if (isLogic(symbol.type)) {
      if (symbol.constant) return [[["n", "m", "y"][symbol.tri] as string, TRUE]];
      const { on, y } = this.#lits.pairOf(symbol);
      const m = on === y ? FALSE : this.#lits.cnf.and(on, -y);
      const all: Domain = [
        ["n", -on],
        ["m", m],
        ["y", y],
      ];
      return all.filter(([, is]) => is !== FALSE);
    }
    return this.#lits.textsOf(symbol);
  }
}

/** The operands of a chain of the same operator; none of nothing. */
export function operandsOf(expr: Expr | undefined, op: "&&" | "||"): readonly Expr[] {
  if (expr === undefined) return [];
  const found: Expr[] = [];
  const stack: Expr[] = [expr];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at.op === op) stack.push(at.right, at.left);
    else found.push(at);
  }
  return found;
}
