/** What conf shows of a symbol when it is asked (menu_get_ext_help() in menu.c). */
import { printExprWithValues, printReverse } from "../engine/expr-values.ts";
import { formatHelp } from "../engine/help-text.ts";
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, TYPE_NAMES, YES } from "../engine/model.ts";
import type { Menu, Property, Sym } from "../engine/model.ts";

const NO_HELP = "There is no help available for this option.";
const DEPTH = 8;

export function helpText(menu: Menu, tree: LoadedTree, prefix: string): string {
  const { symbol, rawHelp } = menu;
  const help = rawHelp === undefined ? undefined : formatHelp(rawHelp);
  const title = help !== undefined && symbol?.name !== undefined ? `${prefix}${symbol.name}:\n\n` : "";
  return `${title}${help ?? NO_HELP}\n${symbol === undefined ? "" : symbolText(symbol, tree)}`;
}

function symbolText(symbol: Sym, tree: LoadedTree): string {
  const { evaluator } = tree;
  const parts: string[] = [];
  if (symbol.name !== undefined) {
    parts.push(
      `Symbol: ${symbol.name} [=${evaluator.text(symbol)}]\n`,
      `Type  : ${TYPE_NAMES[symbol.type]}\n`,
    );
    if (symbol.type === "int" || symbol.type === "hex") {
      const range = evaluator.rangeOf(symbol);
      if (range !== undefined) parts.push(`Range : ${printExprWithValues(range.expr, evaluator)}\n`);
    }
  }
  for (const menu of symbol.menus) {
    if (menu.prompt !== undefined) parts.push(definedAt(menu), promptText(menu.prompt, tree));
  }
  for (const menu of symbol.menus) {
    if (menu.prompt === undefined) parts.push(definedAt(menu), dependency("  Depends on: ", menu.dep, tree));
  }
  parts.push(targets(symbol, "select", "Selects: ", tree));
  for (const [value, letter] of [
    [YES, "y"],
    [MOD, "m"],
    [NO, "n"],
  ] as const) {
    parts.push(printReverse(symbol.revDep, evaluator, value, `Selected by [${letter}]:\n`));
  }
  parts.push(targets(symbol, "imply", "Implies: ", tree));
  for (const [value, letter] of [
    [YES, "y"],
    [MOD, "m"],
    [NO, "n"],
  ] as const) {
    parts.push(printReverse(symbol.implied, evaluator, value, `Implied by [${letter}]:\n`));
  }
  return `${parts.join("")}\n\n`;
}

function definedAt(menu: Menu): string {
  return `Defined at ${menu.file}:${menu.line}\n`;
}

function dependency(title: string, expr: Menu["dep"], tree: LoadedTree): string {
  return tree.simplifier.isYes(expr) ? "" : `${title}${printExprWithValues(expr, tree.evaluator)}\n`;
}

function promptText(prompt: Property, tree: LoadedTree): string {
  const { evaluator, simplifier, root } = tree;
  const parts = [`  Prompt: ${prompt.text ?? ""}\n`, dependency("  Depends on: ", prompt.menu.dep, tree)];
  if (!simplifier.equal(prompt.menu.dep, prompt.condition)) {
    parts.push(dependency("  Visible if: ", prompt.condition, tree));
  }
  const path: Menu[] = [];
  for (let menu: Menu | undefined = prompt.menu; menu !== root && path.length < DEPTH; menu = menu.parent) {
    if (menu === undefined) break;
    evaluator.isVisible(menu);
    path.push(menu);
  }
  parts.push("  Location:\n");
  for (const [index, menu] of path.reverse().entries()) {
    const { symbol } = menu;
    const value = symbol === undefined ? "" : ` (${symbol.name ?? "<choice>"} [=${evaluator.text(symbol)}])`;
    const text = menu.prompt === undefined ? (symbol?.name ?? "(null)") : (menu.prompt.text ?? "");
    parts.push(`${" ".repeat(4 + index * 2)}-> ${text}${value}\n`);
  }
  return parts.join("");
}

function targets(symbol: Sym, kind: "select" | "imply", title: string, tree: LoadedTree): string {
  const names = symbol.props
    .filter((property) => property.kind === kind)
    .map((property) => printExprWithValues(property.expr, tree.evaluator));
  return names.length === 0 ? "" : `${title}${names.join(" && ")}\n`;
}
