/** The values of numbers and strings that a tree names: between two of them all values are alike. */
import { symbolsOf } from "../engine/expr.ts";
import type { Expr } from "../engine/expr.ts";
import { propertySymbol } from "../engine/finalize.ts";
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Property, Sym } from "../engine/model.ts";
import { conditionsOf } from "../explain/costs.ts";

/** A value that is told apart from its neighbours though the tree does not name it. */
export type ExtraValue = readonly [symbol: Sym, text: string];

export interface Landmarks {
  /** Of each number and string its values, by what says that two are the same. */
  readonly values: ReadonlyMap<Sym, ReadonlyMap<string, string>>;
  /** Symbols that the user sets and that follow, bound or are compared with one another: any value matters there. */
  readonly joined: ReadonlySet<Sym>;
}

/** What says when two texts are the same value. */
export function keyOf(symbol: Sym, text: string): string {
  if (symbol.type === "string") return text;
  const digits = /^(-?)(?:0[xX])?([0-9a-fA-F]+)$/.exec(text);
  if (digits === null || (symbol.type === "int" && !/^-?[0-9]+$/.test(text))) return `"${text}`;
  const size = BigInt(symbol.type === "hex" ? `0x${digits[2] ?? ""}` : (digits[2] ?? ""));
  return String(digits[1] === "-" ? -size : size);
}

/** Whether the user may set a symbol at some time. */
export function hasPrompt(symbol: Sym): boolean {
  return symbol.props.some(({ text }) => text !== undefined);
}

// More than any kernel's symbol has; beyond, the engine's judgement corrects.
const MOST = 400;

export function landmarksIn(engine: LoadedTree, extra: readonly ExtraValue[]): Landmarks {
  const values = new Map<Sym, Map<string, string>>();
  const takes = new Map<Sym, Set<Sym>>();
  for (const symbol of engine.symbols) {
    if (isLogic(symbol.type) || symbol.type === "unknown" || symbol.menus.length === 0) continue;
    values.set(symbol, new Map());
    takes.set(symbol, new Set());
  }
  const add = (symbol: Sym, text: string): void => {
    const own = values.get(symbol);
    if (own === undefined) return;
    const key = keyOf(symbol, text);
    if (!own.has(key)) own.set(key, text);
  };
  const meet = (symbol: Sym, value: Sym): void => {
    if (values.has(value)) takes.get(symbol)?.add(value);
    // The text of a bool or tristate is n for C, whatever its value.
    else add(symbol, isLogic(value.type) && !value.constant ? "n" : (value.name ?? ""));
  };
  for (const symbol of values.keys()) {
    for (const property of symbol.props) {
      for (const value of valuesIn(property)) {
        meet(symbol, value);
        if (property.kind === "range") meet(value, symbol);
      }
    }
  }
  for (const pair of comparisonsIn(engine)) {
    for (const [one, other] of [pair, [pair[1], pair[0]] as const]) {
      if (!isLogic(other.type)) meet(one, other);
      // A bool or tristate is a letter among texts, and 0 to 2 among numbers.
      else for (const text of ["n", "m", "y", "0", "1", "2"]) add(one, text);
    }
  }
  for (const [symbol, text] of extra) add(symbol, text);
  spread(values, takes);
  const joined = new Set<Sym>();
  for (const [symbol, others] of takes) {
    for (const other of others) {
      if (!hasPrompt(other)) continue;
      joined.add(other);
      if (hasPrompt(symbol)) joined.add(symbol);
    }
  }
  return { values, joined };
}

// A symbol that takes another's value may have all of that one's.
function spread(
  values: ReadonlyMap<Sym, Map<string, string>>,
  takes: ReadonlyMap<Sym, ReadonlySet<Sym>>,
): void {
  for (let grew = true; grew;) {
    grew = false;
    for (const [symbol, others] of takes) {
      const own = values.get(symbol) as Map<string, string>;
      for (const other of others) {
        for (const text of values.get(other)?.values() ?? []) {
          const key = keyOf(symbol, text);
          if (own.has(key) || own.size >= MOST) continue;
          own.set(key, text);
          grew = true;
        }
      }
    }
  }
}

function valuesIn(property: Property): readonly Sym[] {
  if (property.kind === "range") return [...symbolsOf(property.expr)];
  const value = property.kind === "default" ? propertySymbol(property) : undefined;
  return value === undefined ? [] : [value];
}

function comparisonsIn(engine: LoadedTree): readonly (readonly [Sym, Sym])[] {
  const found: (readonly [Sym, Sym])[] = [];
  const seen = new Set<Expr>();
  const visit = (expr: Expr | undefined): void => {
    if (expr === undefined || seen.has(expr)) return;
    seen.add(expr);
    if (expr.op === "!") visit(expr.left);
    else if (expr.op === "&&" || expr.op === "||") {
      visit(expr.left);
      visit(expr.right);
    } else if (expr.op !== "symbol" && expr.op !== "range") found.push([expr.left, expr.right]);
  };
  for (const symbol of engine.symbols) for (const expr of conditionsOf(symbol)) visit(expr);
  return found;
}
