/**
 * Expressions of the Kconfig language. Equal expressions are the same object, in every generation: sharing is not
 * visible to the algorithms of scripts/kconfig/expr.c, and makes comparison and caching cheap.
 */
import type { Sym, Tristate } from "./model.ts";

export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

// One member for each operator, so that the compiler can tell them apart one by one.
export type Expr =
  | SymbolExpr
  | NotExpr
  | LogicExpr<"||">
  | LogicExpr<"&&">
  | SymbolsExpr<"=">
  | SymbolsExpr<"!=">
  | SymbolsExpr<"<">
  | SymbolsExpr<"<=">
  | SymbolsExpr<">">
  | SymbolsExpr<">=">
  | SymbolsExpr<"range">;

export interface SymbolExpr extends ExprState {
  readonly op: "symbol";
  readonly left: Sym;
}

interface NotExpr extends ExprState {
  readonly op: "!";
  readonly left: Expr;
}

interface LogicExpr<Op extends "||" | "&&"> extends ExprState {
  readonly op: Op;
  readonly left: Expr;
  readonly right: Expr;
}

interface SymbolsExpr<Op extends Comparison | "range"> extends ExprState {
  readonly op: Op;
  readonly left: Sym;
  readonly right: Sym;
}

interface ExprState {
  readonly id: number;
  /** Its value, when `epoch` is the evaluation's. */
  tri: Tristate;
  epoch: number;
}

/** Makes expressions, each only once (expr_lookup() in expr.c). */
export class ExprPool {
  #table = emptyTable(1 << 12);
  #size = 0;
  #adopted: readonly Expr[];

  /** `adopted` are expressions that were made before, numbered from 0; they are looked at when one is asked for. */
  constructor(adopted: readonly Expr[] = []) {
    this.#adopted = adopted;
  }

  get size(): number {
    return this.#size;
  }

  symbol(symbol: Sym): Expr {
    return this.#make("symbol", symbol, undefined);
  }

  not(expr: Expr): Expr {
    return this.#make("!", expr, undefined);
  }

  two(op: "||" | "&&", left: Expr, right: Expr): Expr {
    return this.#make(op, left, right);
  }

  compare(op: Comparison | "range", left: Sym, right: Sym): Expr {
    return this.#make(op, left, right);
  }

  /** Conjunction where undefined means y. */
  and(left: Expr | undefined, right: Expr | undefined): Expr | undefined {
    if (left === undefined) return right;
    return right === undefined ? left : this.#make("&&", left, right);
  }

  /** Disjunction where undefined means that there is nothing yet. */
  or(left: Expr | undefined, right: Expr | undefined): Expr | undefined {
    if (left === undefined) return right;
    return right === undefined ? left : this.#make("||", left, right);
  }

  /** Replaces symbols, for values that were not known when the expression was read. */
  replace(expr: Expr, symbols: ReadonlyMap<Sym, Sym>): Expr {
    switch (expr.op) {
      case "symbol": {
        const other = symbols.get(expr.left);
        return other === undefined ? expr : this.symbol(other);
      }
      case "!": {
        const left = this.replace(expr.left, symbols);
        return left === expr.left ? expr : this.not(left);
      }
      case "||":
      case "&&": {
        const left = this.replace(expr.left, symbols);
        const right = this.replace(expr.right, symbols);
        return left === expr.left && right === expr.right ? expr : this.two(expr.op, left, right);
      }
      default: {
        const left = symbols.get(expr.left) ?? expr.left;
        const right = symbols.get(expr.right) ?? expr.right;
        return left === expr.left && right === expr.right ? expr : this.compare(expr.op, left, right);
      }
    }
  }

  // Open addressing over (op, left, right), which identify an expression: symbols and expressions are numbered apart,
  // and the op tells which is meant.
  #make(op: Expr["op"], left: Sym | Expr, right: Sym | Expr | undefined): Expr {
    if (this.#adopted.length > 0) this.#adopt();
    const mask = this.#table.length - 1;
    let slot = hashOf(op, left, right) & mask;
    for (let found = this.#table[slot]; found !== undefined; found = this.#table[slot]) {
      if (found.left === left && found.op === op && rightOf(found) === right) return found;
      slot = (slot + 1) & mask;
    }
    const expr = {
      id: this.#size++,
      op,
      left,
      right,
      tri: 0,
      epoch: -1,
    } as unknown as Expr;
    this.#table[slot] = expr;
    if (this.#size * 2 > this.#table.length) this.#grow();
    return expr;
  }

  #adopt(): void {
    const adopted = this.#adopted;
    this.#adopted = [];
    this.#size = adopted.length;
    this.#fill(adopted, 2 ** Math.ceil(Math.log2(adopted.length * 4)));
  }

  #grow(): void {
    this.#fill(this.#table, this.#table.length * 2);
  }

  #fill(exprs: readonly (Expr | undefined)[], size: number): void {
    this.#table = emptyTable(size);
    const mask = size - 1;
    for (const expr of exprs) {
      if (expr === undefined) continue;
      let slot = hashOf(expr.op, expr.left, rightOf(expr)) & mask;
      while (this.#table[slot] !== undefined) slot = (slot + 1) & mask;
      this.#table[slot] = expr;
    }
  }
}

function emptyTable(size: number): (Expr | undefined)[] {
  return Array.from<Expr | undefined>({ length: size }).fill(undefined);
}

function rightOf(expr: Expr): Sym | Expr | undefined {
  return (expr as { readonly right?: Sym | Expr }).right;
}

function hashOf(op: Expr["op"], left: Sym | Expr, right: Sym | Expr | undefined): number {
  // Operators differ in their first or second character.
  const number = op.charCodeAt(0) + 7 * op.charCodeAt(op.length - 1);
  const hash =
    Math.imul(left.id, 0x9e3779b1) ^
    Math.imul(right === undefined ? 0 : right.id + 1, 0x85ebca6b) ^
    Math.imul(number, 0xc2b2ae35);
  return hash ^ (hash >>> 15);
}

/** The symbols that an expression names, in order, each as often as it stands there. */
export function* symbolsOf(expr: Expr | undefined): Generator<Sym> {
  if (expr === undefined) return;
  switch (expr.op) {
    case "symbol":
      yield expr.left;
      return;
    case "!":
      yield* symbolsOf(expr.left);
      return;
    case "||":
    case "&&":
      yield* symbolsOf(expr.left);
      yield* symbolsOf(expr.right);
      return;
    default:
      yield expr.left;
      yield expr.right;
  }
}

const BINDING: Readonly<Record<Expr["op"], number>> = {
  "||": 1,
  "&&": 2,
  "!": 3,
  "=": 4,
  "!=": 4,
  "<": 5,
  "<=": 5,
  ">": 5,
  ">=": 5,
  symbol: 9,
  range: 9,
};

/** Writes an expression piece by piece as expr_print() in expr.c does; a piece that is a symbol comes with it. */
export function printExpr(
  expr: Expr | undefined,
  print: (text: string, symbol?: Sym) => void,
  around?: Expr["op"],
): void {
  if (expr === undefined) {
    print("y");
    return;
  }
  const name = (symbol: Sym): void => {
    if (symbol.name === undefined) print("<choice>");
    else print(symbol.name, symbol);
  };
  const parentheses = around !== undefined && around !== expr.op && BINDING[around] > BINDING[expr.op];
  if (parentheses) print("(");
  switch (expr.op) {
    case "symbol":
      name(expr.left);
      break;
    case "!":
      print("!");
      printExpr(expr.left, print, "!");
      break;
    case "||":
    case "&&":
      printExpr(expr.left, print, expr.op);
      print(` ${expr.op} `);
      printExpr(expr.right, print, expr.op);
      break;
    case "range":
      print("[");
      name(expr.left);
      print(" ");
      name(expr.right);
      print("]");
      break;
    default:
      name(expr.left);
      print(expr.op);
      name(expr.right);
  }
  if (parentheses) print(")");
}

/** An expression as text, without values. */
export function exprText(expr: Expr | undefined): string {
  let text = "";
  printExpr(expr, (piece) => {
    text += piece;
  });
  return text;
}
