import { propertySymbol } from "../engine/finalize.ts";
import { exprText } from "../engine/expr.ts";
import type { Expr } from "../engine/expr.ts";
import { formatHelp } from "../engine/help-text.ts";
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { Menu, Property, Sym } from "../engine/model.ts";
import type { ConditionalValue, KconfigSymbol, SymbolDefinition, ValueOrigin } from "../tree.ts";

const LETTERS = ["n", "m", "y"] as const;

/** A symbol as plain data. */
export function symbolView(symbol: Sym, engine: LoadedTree): KconfigSymbol {
  const { evaluator } = engine;
  evaluator.calc(symbol);
  const ofKind = (kind: Property["kind"]): readonly ConditionalValue[] =>
    symbol.props
      .filter((property) => property.kind === kind)
      .map((property) => conditional(property, engine));
  const choice = symbol.choiceNode ?? symbol.choice?.menus[0];
  return {
    name: symbol.name ?? "",
    type: symbol.type,
    value: decode(evaluator.text(symbol)),
    origin: originOf(symbol, engine),
    visibility: LETTERS[symbol.visible],
    assignable: isLogic(symbol.type) ? assignable(symbol, engine) : [],
    written: symbol.write,
    userValue: userValue(symbol),
    definitions: symbol.menus.map((menu) => definition(menu, engine)),
    defaults: ofKind("default"),
    ranges: ofKind("range"),
    selects: ofKind("select"),
    implies: ofKind("imply"),
    selectedBy: operands(symbol.revDep),
    impliedBy: operands(symbol.implied),
    choice: choice?.prompt?.text === undefined ? undefined : decode(choice.prompt.text),
  };
}

/** Why a symbol has its value; it has to be up to date. */
export function originOf(symbol: Sym, engine: LoadedTree): ValueOrigin {
  const { evaluator } = engine;
  if (!isLogic(symbol.type)) {
    const fromUser = symbol.visible !== NO && symbol.user.has;
    const source = fromUser ? undefined : evaluator.defaultOf(symbol);
    const given = fromUser
      ? symbol.user.text
      : source === undefined
        ? undefined
        : propertySymbol(source)?.text;
    if (given !== undefined && symbol.text !== given) return { kind: "range" };
    return { kind: fromUser ? "user" : source === undefined ? "none" : "default" };
  }
  if (evaluator.choices.isDecided(symbol)) return { kind: "choice" };
  const own = symbol.visible !== NO && symbol.user.has;
  const by = (expr: Expr | undefined): readonly string[] => operands(expr, (at) => evaluator.expr(at) !== NO);
  const standard = own ? undefined : evaluator.defaultOf(symbol);
  const bool = evaluator.typeOf(symbol) === "bool";
  const raised = (tri: number): number => (bool && tri === MOD ? YES : tri);
  const base = own
    ? Math.min(symbol.user.tri, symbol.visible)
    : standard === undefined
      ? NO
      : Math.min(evaluator.expr(standard.expr), standard.conditionTri);
  if (symbol.revTri !== NO && symbol.tri > raised(base) && symbol.revTri >= symbol.tri) {
    return { kind: "select", by: by(symbol.revDep) };
  }
  if (own) return { kind: "user" };
  if (symbol.impliedTri !== NO && symbol.tri > raised(base)) return { kind: "imply", by: by(symbol.implied) };
  return { kind: standard === undefined ? "none" : "default" };
}

function assignable(symbol: Sym, { evaluator }: LoadedTree): readonly ("n" | "m" | "y")[] {
  return LETTERS.filter((_, value) => evaluator.allows(symbol, value as 0 | 1 | 2));
}

function userValue(symbol: Sym): string | undefined {
  if (!symbol.user.has) return undefined;
  return isLogic(symbol.type) ? LETTERS[symbol.user.tri] : decode(symbol.user.text ?? "");
}

function definition(menu: Menu, engine: LoadedTree): SymbolDefinition {
  const menus: string[] = [];
  for (let parent = menu.parent; parent?.parent !== undefined; parent = parent.parent) {
    const text = parent.prompt?.text;
    if (text !== undefined) menus.unshift(decode(text));
  }
  const visible = menu.prompt?.condition;
  return {
    file: menu.file,
    line: menu.line,
    prompt: menu.prompt?.text === undefined ? undefined : decode(menu.prompt.text),
    menus,
    dependsOn: conditionText(menu.dep, engine),
    visibleIf: engine.simplifier.equal(menu.dep, visible) ? undefined : conditionText(visible, engine),
    help: menu.rawHelp === undefined ? undefined : decode(formatHelp(menu.rawHelp)),
  };
}

function conditional(property: Property, engine: LoadedTree): ConditionalValue {
  return {
    value: decode(exprText(property.expr)),
    condition: conditionText(property.condition, engine),
    file: property.file,
    line: property.line,
  };
}

/** The operands of a disjunction as text. */
export function operands(
  expr: Expr | undefined,
  wanted: (at: Expr) => boolean = () => true,
): readonly string[] {
  if (expr === undefined) return [];
  if (expr.op === "||") return [...operands(expr.left, wanted), ...operands(expr.right, wanted)];
  return wanted(expr) ? [exprText(expr)] : [];
}

function conditionText(expr: Expr | undefined, engine: LoadedTree): string | undefined {
  return engine.simplifier.isYes(expr) ? undefined : decode(exprText(expr));
}

/** The engine keeps bytes as latin-1; people read UTF-8. */
export function decode(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, "latin1").toString("utf8") : text;
}

/** The bytes of a text as the engine keeps them. */
export function encode(text: string): string {
  return Buffer.byteLength(text) === text.length ? text : Buffer.from(text, "utf8").toString("latin1");
}
