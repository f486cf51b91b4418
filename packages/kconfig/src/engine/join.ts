/** Two operands of one expression that say together what one says alone (expr_join_or(), expr_join_and() in expr.c). */
import type { Expr, ExprPool } from "./expr.ts";
import { isLogic } from "./model.ts";
import type { Sym } from "./model.ts";
import type { SymbolTable } from "./symbol-table.ts";

export class Joiner {
  readonly #pool: ExprPool;
  readonly #table: SymbolTable;
  readonly #equal: (one: Expr, two: Expr) => boolean;

  constructor(pool: ExprPool, table: SymbolTable, equal: (one: Expr, two: Expr) => boolean) {
    this.#pool = pool;
    this.#table = table;
    this.#equal = equal;
  }

  /** expr_join_or(): the operand that says the same as both, if there is one. */
  or(one: Expr, two: Expr): Expr | undefined {
    if (this.#equal(one, two)) return one;
    const symbol = this.#commonSymbol(one, two);
    if (symbol === undefined) return undefined;
    const { yes, mod, no } = this.#table;
    if (symbol.type === "tristate" && one.op === "=" && two.op === "=") {
      const rest = third(one.right, two.right, [yes, mod, no]);
      if (rest !== undefined) return this.#pool.compare("!=", symbol, rest);
    }
    if (
      symbol.type === "bool" &&
      ((isNegatedSymbol(one) && two.op === "symbol") || (isNegatedSymbol(two) && one.op === "symbol"))
    ) {
      return this.#pool.symbol(yes);
    }
    return undefined;
  }

  /** expr_join_and() */
  and(one: Expr, two: Expr): Expr | undefined {
    if (this.#equal(one, two)) return one;
    const symbol = this.#commonSymbol(one, two);
    if (symbol === undefined) return undefined;
    const pool = this.#pool;
    const { yes, mod, no } = this.#table;
    const withSymbol = (op: "=" | "!=", value: Sym): boolean =>
      (one.op === "symbol" && two.op === op && two.right === value) ||
      (two.op === "symbol" && one.op === op && one.right === value);
    if (withSymbol("=", yes)) return pool.compare("=", symbol, yes);
    if (withSymbol("!=", no)) return pool.symbol(symbol);
    if (withSymbol("!=", mod)) return pool.compare("=", symbol, yes);
    if (symbol.type !== "tristate") return undefined;
    for (const [equal, unequal] of [
      [one, two],
      [two, one],
    ] as const) {
      if (equal.op !== "=" || unequal.op !== "!=") continue;
      if (equal.right.constant && unequal.right.constant) {
        return equal.right === unequal.right ? pool.symbol(no) : pool.compare("=", symbol, equal.right);
      }
    }
    if (one.op === "!=" && two.op === "!=") {
      const rest = third(one.right, two.right, [yes, mod, no]);
      // "A!=m && A!=n" should leave y, and does.
      if (rest !== undefined) return pool.compare("=", symbol, rest);
    }
    return undefined;
  }

  // The bool or tristate that both operands are about, when each is it, its negation or an (in)equality of it.
  #commonSymbol(one: Expr, two: Expr): Sym | undefined {
    let first: Sym;
    if (one.op === "!") {
      const inner = one.left;
      if (inner.op !== "=" && inner.op !== "!=" && inner.op !== "symbol") return undefined;
      first = inner.left;
    } else if (one.op === "=" || one.op === "!=" || one.op === "symbol") first = one.left;
    else return undefined;
    let second: Sym;
    if (two.op === "!") {
      if (two.left.op !== "symbol") return undefined;
      second = two.left.left;
    } else if (two.op === "=" || two.op === "!=" || two.op === "symbol") second = two.left;
    else return undefined;
    return first === second && isLogic(first.type) ? first : undefined;
  }
}

function isNegatedSymbol(expr: Expr): boolean {
  return expr.op === "!" && expr.left.op === "symbol";
}

/** Of three values the one that is neither `one` nor `two`, when those are two different ones of them. */
function third(one: Sym, two: Sym, all: readonly Sym[]): Sym | undefined {
  if (one === two || !all.includes(one) || !all.includes(two)) return undefined;
  return all.find((value) => value !== one && value !== two);
}
