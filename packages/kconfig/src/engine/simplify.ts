/**
 * Simplification of expressions, step by step as scripts/kconfig/expr.c does it. The results decide which symbols
 * become submenus, hence the order of `.config`, and they stand in warnings and help; so a better simplifier would be
 * a wrong one.
 */
import type { Dialect } from "./dialect.ts";
import type { Comparison, Expr, ExprPool } from "./expr.ts";
import type { Sym } from "./model.ts";
import { Joiner } from "./join.ts";
import type { SymbolTable } from "./symbol-table.ts";

interface Pair {
  one: Expr;
  two: Expr;
}

const OPPOSITE: Readonly<Record<Comparison, Comparison>> = {
  "=": "!=",
  "!=": "=",
  "<=": ">",
  ">": "<=",
  ">=": "<",
  "<": ">=",
};

export class Simplifier {
  /** What was made of expressions before. */
  readonly #transformed = new Map<Expr, Expr>();
  readonly #deduped = new Map<Expr, Expr>();
  #count = 0;
  #said = 0;
  readonly #pool: ExprPool;
  readonly #table: SymbolTable;
  readonly #inPairs: boolean;
  readonly #rightFirst: boolean;
  readonly #say: (text: string) => void;
  readonly #joiner: Joiner;

  /** `say` is conf's stdout, where a bool compared with m is told. */
  constructor(
    pool: ExprPool,
    table: SymbolTable,
    dialect: Pick<Dialect, "duplicates" | "rightFirst">,
    say: (text: string) => void,
  ) {
    this.#pool = pool;
    this.#table = table;
    this.#inPairs = dialect.duplicates === "pairs";
    this.#rightFirst = dialect.rightFirst;
    this.#say = say;
    this.#joiner = new Joiner(pool, table, (one, two) => this.equal(one, two));
  }

  /** Types of symbols changed: what was made of expressions no longer holds. */
  typesChanged(): void {
    this.#transformed.clear();
    this.#deduped.clear();
  }

  isYes(expr: Expr | undefined): boolean {
    return expr === undefined || (expr.op === "symbol" && expr.left === this.#table.yes);
  }

  /** expr_transform(): negations inward, comparisons of bools with constants away. */
  transform(expr: Expr | undefined): Expr | undefined {
    return expr === undefined ? undefined : this.#transform(expr);
  }

  #transform(expr: Expr): Expr {
    const known = this.#transformed.get(expr);
    if (known !== undefined) return known;
    const said = this.#said;
    const result = this.#transformOnce(expr);
    // What was said is said each time that C comes here, so it is worked out each time.
    if (said === this.#said) this.#transformed.set(expr, result);
    return result;
  }

  #note(symbol: Sym, forced: "n" | "y"): void {
    this.#said++;
    this.#say(`boolean symbol ${symbol.name ?? ""} tested for 'm'? test forced to '${forced}'\n`);
  }

  #transformOnce(given: Expr): Expr {
    const pool = this.#pool;
    const { yes, mod, no } = this.#table;
    let expr = given;
    if (expr.op === "!") expr = pool.not(this.#transform(expr.left));
    else if (expr.op === "||" || expr.op === "&&") {
      const early = this.#rightFirst ? this.#transform(expr.right) : undefined;
      const left = this.#transform(expr.left);
      expr = pool.two(expr.op, left, early ?? this.#transform(expr.right));
    }
    switch (expr.op) {
      case "=":
      case "!=": {
        if (expr.left.type !== "bool") return expr;
        const equal = expr.op === "=";
        if (expr.right === mod) {
          this.#note(expr.left, equal ? "n" : "y");
          return pool.symbol(equal ? no : yes);
        }
        // In generation 2 and 3 C takes the symbol for an expression in "A!=y" and reads garbage; this is what is meant.
        if (expr.right === (equal ? no : yes)) return pool.not(pool.symbol(expr.left));
        if (expr.right === (equal ? yes : no)) return pool.symbol(expr.left);
        return expr;
      }
      case "!": {
        const inner = expr.left;
        switch (inner.op) {
          case "!":
            return inner.left;
          case "=":
          case "!=":
          case "<":
          case "<=":
          case ">":
          case ">=":
            return pool.compare(OPPOSITE[inner.op], inner.left, inner.right);
          case "||":
          case "&&":
            return this.#transform(
              pool.two(inner.op === "||" ? "&&" : "||", pool.not(inner.left), pool.not(inner.right)),
            );
          case "symbol":
            if (inner.left === yes) return pool.symbol(no);
            if (inner.left === mod) return inner;
            return inner.left === no ? pool.symbol(yes) : expr;
          default:
            return expr;
        }
      }
      default:
        return expr;
    }
  }

  /** expr_trans_bool(): "FOO!=n" of a tristate as FOO, where a bool will take it as y. */
  transformForBool(expr: Expr | undefined): Expr | undefined {
    switch (expr?.op) {
      case "&&":
      case "||": {
        const left = this.transformForBool(expr.left) as Expr;
        return this.#pool.two(expr.op, left, this.transformForBool(expr.right) as Expr);
      }
      case "!":
        return this.#pool.not(this.transformForBool(expr.left) as Expr);
      case "!=":
        if (expr.left.type !== "tristate" || expr.right !== this.#table.no) return expr;
        return this.#pool.symbol(expr.left);
      default:
        return expr;
    }
  }

  /** expr_eq(): equal but for the order of operands and for what eliminateEqual() sees. */
  equal(one: Expr | undefined, two: Expr | undefined): boolean {
    if (one === undefined || two === undefined) return this.isYes(one) && this.isYes(two);
    if (one === two) return one.op !== "range";
    if (one.op !== two.op) return false;
    switch (one.op) {
      case "!":
        return this.equal(one.left, (two as typeof one).left);
      case "||":
      case "&&": {
        const count = this.#count;
        const pair = { one: one as Expr, two };
        this.#eliminateEqual(pair);
        this.#count = count;
        return pair.one.op === "symbol" && pair.two.op === "symbol" && pair.one.left === pair.two.left;
      }
      default:
        // Comparisons and symbols are the same object when they are equal.
        return false;
    }
  }

  /** expr_eliminate_eq(): takes common operands out of both; gives what is left of each. */
  eliminateEqual(
    one: Expr | undefined,
    two: Expr | undefined,
  ): readonly [Expr | undefined, Expr | undefined] {
    if (one === undefined || two === undefined) return [one, two];
    const pair = { one, two };
    this.#eliminateEqual(pair);
    return [pair.one, pair.two];
  }

  /** Whether "one && two" says no more than the first alone. */
  contains(one: Expr, two: Expr | undefined): boolean {
    const both = two === undefined ? one : this.#pool.two("&&", one, two);
    return this.equal(this.eliminateDuplicates(both), one);
  }

  #eliminateEqual(pair: Pair): void {
    if (pair.one.op === "||" || pair.one.op === "&&") this.#eliminateLevel(pair.one.op, pair);
    if (pair.one.op !== pair.two.op && (pair.two.op === "||" || pair.two.op === "&&")) {
      this.#eliminateLevel(pair.two.op, pair);
    }
    pair.one = this.#withoutConstants(pair.one);
    pair.two = this.#withoutConstants(pair.two);
  }

  #eliminateLevel(op: "||" | "&&", pair: Pair): void {
    const { one, two } = pair;
    if (one.op === op) {
      const left = { one: one.left, two };
      this.#eliminateLevel(op, left);
      const right = { one: one.right, two: left.two };
      this.#eliminateLevel(op, right);
      pair.one = this.#pool.two(op, left.one, right.one);
      pair.two = right.two;
      return;
    }
    if (two.op === op) {
      const left = { one, two: two.left };
      this.#eliminateLevel(op, left);
      const right = { one: left.one, two: two.right };
      this.#eliminateLevel(op, right);
      pair.one = right.one;
      pair.two = this.#pool.two(op, left.two, right.two);
      return;
    }
    const { yes, no } = this.#table;
    if (one === two && one.op === "symbol" && (one.left === yes || one.left === no)) return;
    if (!this.equal(one, two)) return;
    this.#count++;
    const neutral = this.#pool.symbol(op === "||" ? no : yes);
    pair.one = neutral;
    pair.two = neutral;
  }

  /** expr_eliminate_yn(); generation 2 and 3 forget what they did below unless the top goes too. */
  #withoutConstants(expr: Expr): Expr {
    if (expr.op !== "&&" && expr.op !== "||") return expr;
    const left = this.#withoutConstants(expr.left);
    const right = this.#withoutConstants(expr.right);
    const { yes, no } = this.#table;
    const [neutral, absorbing] = expr.op === "&&" ? [yes, no] : [no, yes];
    // C looks for n first; which comes first does not matter, one operand is one constant.
    if (left.op === "symbol") {
      if (left.left === absorbing) return left;
      if (left.left === neutral) return right;
    }
    if (right.op === "symbol") {
      if (right.left === absorbing) return right;
      if (right.left === neutral) return left;
    }
    return this.#inPairs ? this.#pool.two(expr.op, left, right) : expr;
  }

  /** expr_eliminate_dups(): takes out operands that say nothing new. */
  eliminateDuplicates(expr: Expr | undefined): Expr | undefined {
    if (expr === undefined) return undefined;
    return this.#inPairs ? this.#dedupePairs(expr) : this.#dedupeSides(expr);
  }

  #dedupeSides(given: Expr): Expr {
    const known = this.#deduped.get(given);
    if (known !== undefined) return known;
    const outer = this.#count;
    let expr = given;
    do {
      this.#count = 0;
      if (expr.op === "||" || expr.op === "&&") {
        const pair = { one: this.#dedupeSides(expr.left), two: this.#dedupeSides(expr.right) };
        this.#joinLevel(expr.op, pair);
        expr = this.#pool.two(expr.op, pair.one, pair.two);
      }
      expr = this.#withoutConstants(expr);
    } while (this.#count > 0);
    this.#count = outer;
    this.#deduped.set(given, expr);
    return expr;
  }

  #joinLevel(op: "||" | "&&", pair: Pair): void {
    const { one, two } = pair;
    if (one.op === op) {
      const left = { one: one.left, two };
      this.#joinLevel(op, left);
      const right = { one: one.right, two: left.two };
      this.#joinLevel(op, right);
      pair.one = this.#pool.two(op, left.one, right.one);
      pair.two = right.two;
      return;
    }
    if (two.op === op) {
      const left = { one, two: two.left };
      this.#joinLevel(op, left);
      const right = { one: left.one, two: two.right };
      this.#joinLevel(op, right);
      pair.one = right.one;
      pair.two = this.#pool.two(op, left.two, right.two);
      return;
    }
    const joined = op === "||" ? this.#joiner.or(one, two) : this.#joiner.and(one, two);
    if (joined === undefined) return;
    pair.one = this.#pool.symbol(op === "||" ? this.#table.no : this.#table.yes);
    pair.two = joined;
    this.#count++;
  }

  #dedupePairs(given: Expr): Expr {
    const known = this.#deduped.get(given);
    if (known !== undefined) return known;
    const outer = this.#count;
    let expr = given;
    for (;;) {
      this.#count = 0;
      if (expr.op === "||" || expr.op === "&&") expr = this.#joinPairs(expr);
      if (this.#count === 0) break;
      expr = this.#withoutConstants(expr);
    }
    this.#count = outer;
    this.#deduped.set(given, expr);
    return expr;
  }

  // expr_eliminate_dups1(type, &e, &e): every operand of this level against every other, in both orders, in place.
  #joinPairs(expr: Expr & { readonly op: "||" | "&&" }): Expr {
    const { op } = expr;
    const operands: Expr[] = [];
    const flatten = (at: Expr): void => {
      if (at.op !== op) operands.push(at);
      else {
        flatten(at.left);
        flatten(at.right);
      }
    };
    flatten(expr);
    const neutral = this.#pool.symbol(op === "||" ? this.#table.no : this.#table.yes);
    for (let i = 0; i < operands.length; i++) {
      for (let j = 0; j < operands.length; j++) {
        if (i === j) continue;
        const one = operands[i] as Expr;
        if (one.op === "||" || one.op === "&&") operands[i] = this.#joinPairs(one);
        const left = operands[i] as Expr;
        const right = operands[j] as Expr;
        const joined = op === "||" ? this.#joiner.or(left, right) : this.#joiner.and(left, right);
        if (joined === undefined) continue;
        operands[i] = neutral;
        operands[j] = joined;
        this.#count++;
      }
    }
    let next = 0;
    const rebuild = (at: Expr): Expr => {
      if (at.op !== op) return operands[next++] as Expr;
      const left = rebuild(at.left);
      return this.#pool.two(op, left, rebuild(at.right));
    };
    return rebuild(expr);
  }

  /** expr_trans_compare(): the expression as one that compares with `symbol`. */
  compareWith(expr: Expr | undefined, op: "=" | "!=", symbol: Sym): Expr {
    const pool = this.#pool;
    const { yes, mod, no } = this.#table;
    if (expr === undefined) {
      const alone = pool.symbol(symbol);
      return op === "!=" ? pool.not(alone) : alone;
    }
    switch (expr.op) {
      case "&&":
      case "||": {
        const left = this.compareWith(expr.left, "=", symbol);
        const right = this.compareWith(expr.right, "=", symbol);
        const other = expr.op === "&&" ? "||" : "&&";
        const both = pool.two(symbol === no ? other : expr.op, left, right);
        return op === "!=" ? pool.not(both) : both;
      }
      case "!":
        return this.compareWith(expr.left, op === "=" ? "!=" : "=", symbol);
      case "symbol":
        return pool.compare(op, expr.left, symbol);
      case "range":
        return expr;
      default:
        if (symbol === mod) return pool.symbol(op === "=" ? no : yes);
        return (symbol === yes) === (op === "=") ? expr : pool.not(expr);
    }
  }
}
