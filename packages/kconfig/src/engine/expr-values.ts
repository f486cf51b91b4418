/** Expressions as text with the value of each symbol, as in warnings and help. */
import type { Evaluator } from "./evaluator.ts";
import { exprText, printExpr } from "./expr.ts";
import type { Expr } from "./expr.ts";
import { MOD, YES } from "./model.ts";
import type { Sym, Tristate } from "./model.ts";

/** `FOO [=y] && !BAR [=n]` (expr_gstr_print() in expr.c); values are those last worked out. */
export function printExprWithValues(expr: Expr | undefined, evaluator: Evaluator): string {
  let text = "";
  printExpr(expr, (piece, symbol) => {
    text += piece;
    if (symbol !== undefined && symbol.type !== "unknown") text += ` [=${evaluator.text(symbol)}]`;
  });
  return text;
}

/** The operands of a reverse dependency that have a value, a line each, with a title (expr_gstr_print_revdep()). */
export function printReverse(
  expr: Expr | undefined,
  evaluator: Evaluator,
  value: Tristate,
  title: string,
): string {
  let text = "";
  const visit = (at: Expr): void => {
    if (at.op === "||") {
      visit(at.left);
      visit(at.right);
    } else if (evaluator.expr(at) === value) {
      text += `${text === "" ? title : ""}  - ${printExprWithValues(at, evaluator)}\n`;
    }
  };
  if (expr !== undefined) visit(expr);
  return text;
}

/** What conf says of a symbol that is selected without what it depends on (sym_warn_unmet_dep() in symbol.c). */
export function unmetWarning(symbol: Sym, evaluator: Evaluator): string {
  return [
    `\nWARNING: unmet direct dependencies detected for ${symbol.name ?? "(null)"}\n`,
    `  Depends on [${symbol.dirTri === MOD ? "m" : "n"}]: `,
    printExprWithValues(symbol.dirDep, evaluator),
    "\n",
    printReverse(symbol.revDep, evaluator, YES, "  Selected by [y]:\n"),
    printReverse(symbol.revDep, evaluator, MOD, "  Selected by [m]:\n"),
  ].join("");
}

/**
 * The same as conf said it once: of each dependency, the symbol that selects, unless it depends on as much itself
 * (expr_simplify_unmet_dep() in expr.c, Linux 2.6.36 to 4.14).
 */
export function unmetLine(
  symbol: Sym,
  contains: (one: Expr, two: Expr | undefined) => boolean = () => false,
): string {
  const names: string[] = [];
  const visit = (expr: Expr): void => {
    if (expr.op === "||") {
      visit(expr.left);
      visit(expr.right);
    } else if (expr.op !== "&&" || !contains(expr, symbol.dirDep)) names.push(leftmost(expr));
  };
  if (symbol.revDep !== undefined) visit(symbol.revDep);
  const by = names.length === 0 ? "y" : names.join(" && ");
  const needs = exprText(symbol.dirDep);
  return `warning: (${by}) selects ${symbol.name ?? "(null)"} which has unmet direct dependencies (${needs})\n`;
}

function leftmost(expr: Expr): string {
  let at = expr;
  while (at.op === "&&" || at.op === "||" || at.op === "!") at = at.left;
  return at.left.name ?? "<choice>";
}
