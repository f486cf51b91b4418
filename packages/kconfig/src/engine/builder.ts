/** Makes the menu tree from statements (the menu_add_…() functions of scripts/kconfig/menu.c). */
import type { Output } from "./errors.ts";
import type { Expr, ExprPool } from "./expr.ts";
import { NO, NONE, TYPE_NAMES } from "./model.ts";
import type { Menu, Property, PropertyKind, Sym, SymbolType } from "./model.ts";
import type { Position } from "./source.ts";

export class TreeBuilder {
  readonly root: Menu;
  /** The node that holds what comes next, and the node that options belong to. */
  menu: Menu;
  entry: Menu;
  readonly #pool: ExprPool;
  readonly #at: Position;
  readonly #output: Output;
  readonly #marksSymbols: boolean;
  // Where the next node is hung: as first child of `menu`, or after the last one.
  #last: Menu | undefined;

  /** `marksSymbols`: a definition is a property of its symbol too, as it is in generation 1. */
  constructor(pool: ExprPool, at: Position, output: Output, marksSymbols: boolean) {
    this.#marksSymbols = marksSymbols;
    this.#pool = pool;
    this.#at = at;
    this.#output = output;
    this.root = makeMenu("menu", undefined, undefined, { file: "", line: 0 });
    this.menu = this.root;
    this.entry = this.root;
  }

  addEntry(kind: Menu["kind"], symbol: Sym | undefined): Menu {
    const node = makeMenu(kind, symbol, this.menu, this.#at);
    if (this.#last === undefined) this.menu.list = node;
    else this.#last.next = node;
    this.#last = node;
    this.entry = node;
    symbol?.menus.push(node);
    if (symbol !== undefined && this.#marksSymbols) {
      this.#addProperty("symbol", this.#pool.symbol(symbol), undefined);
    }
    return node;
  }

  /** What comes next stands inside the entry. */
  open(): Menu {
    this.menu = this.entry;
    this.#last = undefined;
    return this.menu;
  }

  close(): void {
    this.#last = this.menu;
    this.menu = this.menu.parent ?? this.root;
  }

  addDependency(expr: Expr): void {
    this.entry.dep = this.#pool.and(this.entry.dep, expr);
  }

  addVisibility(expr: Expr | undefined): void {
    this.entry.visibility = this.#pool.and(this.entry.visibility, expr);
  }

  setType(type: SymbolType): void {
    const symbol = this.entry.symbol;
    if (symbol === undefined || symbol.type === type) return;
    if (symbol.type === "unknown") {
      symbol.type = type;
      return;
    }
    this.#output.err(
      `${this.entry.file}:${this.entry.line}:warning: ignoring type redefinition of ` +
        `'${symbol.name ?? "<choice>"}' from '${TYPE_NAMES[symbol.type]}' to '${TYPE_NAMES[type]}'\n`,
    );
  }

  addPrompt(kind: "prompt" | "menu" | "comment", text: string, condition: Expr | undefined): void {
    const property = this.#addProperty(kind, undefined, condition);
    const trimmed = text.replace(/^[ \t\n\v\f\r]+/, "");
    if (trimmed !== text) warnProperty(this.#output, property, "leading whitespace ignored");
    if (this.entry.prompt !== undefined) warnProperty(this.#output, property, "prompt redefined");
    if (kind === "prompt") {
      // What makes the menus around it visible makes the prompt so.
      for (let menu = this.entry.parent; menu !== undefined; menu = menu.parent) {
        if (menu.visibility === undefined) continue;
        property.condition = this.#pool.and(property.condition, menu.visibility);
      }
    }
    this.entry.prompt = property;
    property.text = trimmed;
  }

  addExpr(kind: "default" | "range" | "select" | "imply", expr: Expr, condition: Expr | undefined): void {
    this.#addProperty(kind, expr, condition);
  }

  /** A default that holds whatever its entry depends on. */
  addConstant(value: Sym, symbol = this.entry.symbol): void {
    this.#addProperty("default", this.#pool.symbol(value), undefined, { menu: this.root, symbol });
  }

  #addProperty(
    kind: PropertyKind,
    expr: Expr | undefined,
    condition: Expr | undefined,
    { menu, symbol }: { menu: Menu; symbol: Sym | undefined } = {
      menu: this.entry,
      symbol: this.entry.symbol,
    },
  ): Property {
    const property: Property = {
      kind,
      text: undefined,
      condition,
      conditionTri: NO,
      expr,
      menu,
      file: this.#at.file,
      line: this.#at.line,
    };
    symbol?.props.push(property);
    return property;
  }
}

export function warnProperty(output: Output, property: Property, message: string): void {
  output.err(`${property.file}:${property.line}:warning: ${message}\n`);
}

function makeMenu(
  kind: Menu["kind"],
  symbol: Sym | undefined,
  parent: Menu | undefined,
  at: Pick<Position, "file" | "line">,
): Menu {
  return {
    kind,
    next: undefined,
    parent,
    list: undefined,
    symbol,
    prompt: undefined,
    visibility: undefined,
    dep: undefined,
    rawHelp: undefined,
    file: at.file,
    line: at.line,
    members: kind === "choice" ? [] : NONE,
  };
}
