/** Expressions as text with the value of each symbol, as in warnings and help. */
import type { Evaluator } from "./evaluator.ts";
import { printExpr } from "./expr.ts";
import type { Expr } from "./expr.ts";
import { isLogic } from "./model.ts";
import type { Sym } from "./model.ts";

/** A value as C prints it: it has no text before it was worked out for the first time. */
export function valueText(symbol: Sym, evaluator: Evaluator): string {
  return isLogic(symbol.type) ? evaluator.text(symbol) : (symbol.text ?? "(null)");
}

/** `FOO [=y] && !BAR [=n]` (expr_gstr_print() in expr.c); values are those last worked out. */
export function printExprWithValues(expr: Expr | undefined, evaluator: Evaluator): string {
  let text = "";
  printExpr(expr, (piece, symbol) => {
    text += piece;
    if (symbol !== undefined && symbol.type !== "unknown") text += ` [=${valueText(symbol, evaluator)}]`;
  });
  return text;
}
