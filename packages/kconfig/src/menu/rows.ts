/** The lines of one menu (build_conf() in mconf.c). */
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { Menu, Sym } from "../engine/model.ts";
import { decode } from "../internal/symbol-view.ts";
import type { MenuModel } from "./model.ts";

export interface Row {
  readonly node: Menu;
  readonly depth: number;
  /** The value, such as `[*]`, `<M>` or `(8)`; `-*-` cannot be changed, `{M}` can be m or y. */
  readonly mark: string;
  readonly title: string;
  /** There is a menu behind it. */
  readonly opens: boolean;
  /** A menu with nothing in it to see. */
  readonly empty: boolean;
  /** The configuration that was read does not name it. */
  readonly isNew: boolean;
  /** It is only seen because hidden options are shown. */
  readonly hidden: boolean;
}

/** Whether a node has a screen of its own; what is below other nodes stands below their lines. */
export function hasScreen({ kind }: Menu): boolean {
  return kind === "menu" || kind === "menuconfig" || kind === "choice";
}

export function rowsOf(
  place: Menu,
  model: MenuModel,
  { showHidden }: { readonly showHidden: boolean },
): readonly Row[] {
  const rows: Row[] = [];
  const visit = (parent: Menu, depth: number): void => {
    for (let node = parent.list; node !== undefined; node = node.next) {
      if (node.prompt === undefined) continue;
      const shown = model.isShown(node);
      if (!shown && !showHidden) continue;
      rows.push(rowOf(node, depth, model, showHidden, !shown));
      if (!hasScreen(node)) visit(node, depth + 1);
    }
  };
  visit(place, 0);
  return rows;
}

function rowOf(node: Menu, depth: number, model: MenuModel, showHidden: boolean, hidden: boolean): Row {
  const { symbol, kind } = node;
  const text = decode(node.prompt?.text ?? "");
  const opens = hasScreen(node);
  const row = { node, depth, hidden, opens, empty: opens && isEmpty(node, model, showHidden), isNew: false };
  if (symbol === undefined) return { ...row, mark: "", title: kind === "comment" ? `*** ${text} ***` : text };
  if (symbol.isChoice) {
    const holder = model.chosen(node);
    const chosen = holder === undefined ? "" : ` (${titleOf(holder)})`;
    const mark = model.options(symbol).length > 1 ? markOf(symbol, model) : "";
    return { ...row, mark, title: `${text}${chosen}` };
  }
  const isNew = !model.isGiven(symbol) && model.isChangeable(symbol) && !model.isMember(symbol);
  return { ...row, mark: markOf(symbol, model), title: text, isNew };
}

function isEmpty(node: Menu, model: MenuModel, showHidden: boolean): boolean {
  for (let child = node.list; child !== undefined; child = child.next) {
    if (showHidden ? child.prompt !== undefined : model.isShown(child)) return false;
  }
  return true;
}

function markOf(symbol: Sym, model: MenuModel): string {
  const { evaluator } = model.engine;
  if (!isLogic(symbol.type)) return `(${model.value(symbol)})`;
  if (model.isMember(symbol)) return symbol.tri === YES ? "(X)" : "( )";
  const letter = symbol.tri === YES ? "*" : symbol.tri === MOD ? "M" : " ";
  if (!model.isChangeable(symbol)) return symbol.tri === NO ? "- -" : `-${letter}-`;
  if (evaluator.typeOf(symbol) === "bool") return `[${letter}]`;
  return symbol.revTri === MOD ? `{${letter}}` : `<${letter}>`;
}

/** The prompt of a symbol, or its name. */
export function titleOf(symbol: Sym): string {
  const text = symbol.menus.find(({ prompt }) => prompt !== undefined)?.prompt?.text;
  return decode(text ?? symbol.name ?? "");
}

/** The screens from the root to the one on which a node stands. */
export function placesOf(node: Menu): readonly Menu[] {
  const places: Menu[] = [];
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (at.parent === undefined || hasScreen(at)) places.unshift(at);
  }
  return places;
}
