/** In what way an expression names a symbol. */
import type { Expr } from "./expr.ts";
import type { Sym } from "./model.ts";
import type { SymbolTable } from "./symbol-table.ts";

/** expr_contains_symbol() */
export function containsSymbol(expr: Expr | undefined, symbol: Sym): boolean {
  if (expr === undefined) return false;
  switch (expr.op) {
    case "&&":
    case "||":
      return containsSymbol(expr.left, symbol) || containsSymbol(expr.right, symbol);
    case "symbol":
      return expr.left === symbol;
    case "!":
      return containsSymbol(expr.left, symbol);
    case "range":
      return false;
    default:
      return expr.left === symbol || expr.right === symbol;
  }
}

/** expr_depends_symbol(): holds only with the symbol on. */
export function dependsOnSymbol(expr: Expr | undefined, symbol: Sym, table: SymbolTable): boolean {
  if (expr === undefined) return false;
  switch (expr.op) {
    case "&&":
      return dependsOnSymbol(expr.left, symbol, table) || dependsOnSymbol(expr.right, symbol, table);
    case "symbol":
      return expr.left === symbol;
    case "=":
      return expr.left === symbol && (expr.right === table.yes || expr.right === table.mod);
    case "!=":
      return expr.left === symbol && expr.right === table.no;
    default:
      return false;
  }
}

/** expr_contains_symbol_negated(): names the symbol in a way that can hold with it off (generation 3). */
export function containsNegated(expr: Expr | undefined, symbol: Sym, table: SymbolTable): boolean {
  if (expr === undefined) return false;
  switch (expr.op) {
    case "&&":
    case "||":
      return containsNegated(expr.left, symbol, table) || containsNegated(expr.right, symbol, table);
    case "!":
      return expr.left.op === "symbol" && expr.left.left === symbol;
    case "=":
      return expr.left === symbol && expr.right === table.no;
    case "!=":
      return expr.left === symbol && (expr.right === table.yes || expr.right === table.mod);
    default:
      return false;
  }
}
