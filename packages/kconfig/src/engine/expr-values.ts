/** Expressions as text with the value of each symbol, as in warnings and help. */
import type { Evaluator } from "./evaluator.ts";
import { printExpr } from "./expr.ts";
import type { Expr } from "./expr.ts";

/** `FOO [=y] && !BAR [=n]` (expr_gstr_print() in expr.c); values are those last worked out. */
export function printExprWithValues(expr: Expr | undefined, evaluator: Evaluator): string {
  let text = "";
  printExpr(expr, (piece, symbol) => {
    text += piece;
    if (symbol !== undefined && symbol.type !== "unknown") text += ` [=${evaluator.text(symbol)}]`;
  });
  return text;
}
