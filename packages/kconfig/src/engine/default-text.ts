/** The value that a symbol would have without its user's value. */
import type { Evaluator } from "./evaluator.ts";
import { propertySymbol } from "./finalize.ts";
import { MOD, NO, YES, isLogic } from "./model.ts";
import type { Sym, Tristate } from "./model.ts";

/** The default as savedefconfig sees it, without range and dependencies (sym_get_string_default() in symbol.c). */
export function defaultText(symbol: Sym, evaluator: Evaluator): string {
  const { modules, dialect } = evaluator.context;
  evaluator.visibility(symbol);
  evaluator.calc(modules);
  let tri: Tristate = NO;
  let text = "";
  const source = evaluator.defaultOf(symbol);
  if (source !== undefined) {
    if (isLogic(symbol.type)) {
      const value = evaluator.expr(source.expr);
      tri = value < source.conditionTri ? value : source.conditionTri;
    } else {
      const value = propertySymbol(source);
      if (value !== undefined) {
        evaluator.calc(value);
        text = value.text ?? "";
      }
    }
  }
  if (symbol.revTri > tri) tri = symbol.revTri;
  if (tri === MOD && !symbol.isMember && modules.tri === NO) tri = YES;
  if (symbol.type === "bool" && tri === MOD) tri = YES;
  if (symbol.impliedTri > tri) tri = symbol.impliedTri;
  switch (symbol.type) {
    case "bool":
    case "tristate":
      return ["n", "m", "y"][tri] as string;
    case "int":
      return text === "" && !dialect.emptyNumber ? "0" : text;
    case "hex":
      return text === "" && !dialect.emptyNumber ? "0x0" : text;
    default:
      return text;
  }
}
