/** Texts to read: help, and why something is as it is. */
import { printExprWithValues } from "../engine/expr-values.ts";
import { NO, isLogic } from "../engine/model.ts";
import type { Menu, Sym } from "../engine/model.ts";
import { helpText } from "../conf/help-text.ts";
import { because, explain, formatExplanation } from "../explain.ts";
import { decode } from "../internal/symbol-view.ts";
import { nameOf } from "./model.ts";
import type { MenuModel } from "./model.ts";
import { titleOf } from "./rows.ts";

export interface Page {
  readonly title: string;
  readonly lines: readonly string[];
}

/** What menuconfig shows as help, after a sentence on the value. */
export function helpPage(node: Menu, model: MenuModel): Page {
  const { symbol } = node;
  const text = model.journal.borrow(() => {
    // helpText() looks at values without working them out.
    for (const one of model.engine.symbols) model.engine.evaluator.calc(one);
    return decode(helpText(node, model.engine, model.prefix));
  });
  const isNamed = symbol?.name !== undefined && !symbol.isChoice;
  const why = isNamed ? [because(symbol, model.engine), ""] : [];
  const place =
    symbol === undefined ? ["", `Defined at ${node.file}:${node.line}`, ...condition(node, model)] : [];
  return page(titleOfNode(node), [...why, ...text.trimEnd().split("\n"), ...place]);
}

/** Why something is hidden, or has its value and not another. */
export function whyPage(node: Menu, model: MenuModel): Page {
  const { symbol } = node;
  const title = `Why: ${titleOfNode(node)}`;
  if (symbol === undefined || symbol.isChoice || symbol.name === undefined) {
    return page(title, [model.isShown(node) ? "It is shown." : "It is hidden.", ...condition(node, model)]);
  }
  const wanted = contrary(symbol, model);
  const explanation = explain(model.tree, nameOf(symbol), wanted);
  const lines = formatExplanation(explanation).split("\n");
  if (!isLogic(symbol.type) && model.visibility(symbol) !== NO) {
    const range = model.range(symbol);
    if (range !== undefined) lines.push(`it can be ${range.low} to ${range.high}`);
  }
  return page(title, lines);
}

// What is off could be on; a member of a choice that is on goes when another comes.
function contrary(symbol: Sym, model: MenuModel): string {
  const value = model.value(symbol);
  if (!isLogic(symbol.type)) return value;
  return value === "y" ? "n" : "y";
}

function condition({ prompt, visibility }: Menu, { engine }: MenuModel): readonly string[] {
  const { evaluator, simplifier } = engine;
  const lines: string[] = [];
  for (const expr of [prompt?.condition, visibility]) {
    if (expr === undefined || simplifier.isYes(expr)) continue;
    // For the values that are printed.
    evaluator.expr(expr);
    lines.push(`Shown if: ${decode(printExprWithValues(expr, evaluator))}`);
  }
  return lines;
}

function titleOfNode(node: Menu): string {
  if (node.prompt !== undefined) return decode(node.prompt.text ?? "");
  return node.symbol === undefined ? "" : titleOf(node.symbol);
}

function page(title: string, lines: readonly string[]): Page {
  return { title, lines };
}

/** The keys of the menu; README.md has the same. */
export const KEYS: Page = {
  title: "Keys",
  lines: [
    "up down, k j           move; PgUp PgDn Home End too",
    "right, l, Enter        open a menu or choice; Enter also sets a number or string, or toggles",
    "left, Esc, Backspace   back",
    "Space                  the next value that can be set",
    "y m n                  set to yes, module, no",
    "/                      search names and prompts; Enter goes there, Tab shows the help",
    "?, h                   help: text, places, dependencies, who selects it, the value and where it comes from",
    "w                      why is this hidden, or why does it have this value",
    "e                      what would enable it: the fewest changes, shown before they are made",
    "z                      show hidden options, or hide them again",
    "u, r                   undo, redo",
    "s                      save the configuration",
    "f                      save what was changed as a fragment",
    "q, Ctrl-C              quit; asks when there is something to save",
    "Ctrl-L, Ctrl-Z         draw again, suspend",
    "",
    "[*] <M>   can be set          -*-   cannot: something selects it, or it is hidden",
    "{M}       can be m or y       (X)   the one chosen              (8)   a number or string",
    "--->      a menu              ----  a menu with nothing to see  (NEW) not in the configuration that was read",
  ],
};
