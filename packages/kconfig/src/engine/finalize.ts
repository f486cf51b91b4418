/**
 * Makes the tree of menus final: dependencies go down from parents, selects turn into reverse dependencies, symbols
 * that depend on the one before them become its submenu, and `if` blocks are dissolved (menu_finalize() in menu.c).
 */
import { warnProperty } from "./builder.ts";
import type { Dialect } from "./dialect.ts";
import type { Output } from "./errors.ts";
import type { Expr, ExprPool } from "./expr.ts";
import { choiceMenu, isLogic } from "./model.ts";
import type { Menu, Property, Sym, SymbolType } from "./model.ts";
import { containsNegated, containsSymbol, dependsOnSymbol } from "./mentions.ts";
import type { Simplifier } from "./simplify.ts";
import type { SymbolTable } from "./symbol-table.ts";
import { isValidText } from "./text-value.ts";

export interface FinalizeContext {
  readonly dialect: Dialect;
  readonly pool: ExprPool;
  readonly table: SymbolTable;
  readonly simplifier: Simplifier;
  readonly output: Output;
  readonly modules: Sym;
  /** The node that is being worked on. */
  readonly at: { menu: Menu };
}

export function finalizeTree(root: Menu, context: FinalizeContext): void {
  new Finalizer(context).menu(root, false);
}

class Finalizer {
  readonly #context: FinalizeContext;
  readonly #asSymbol: boolean;
  /** A member got its type from its choice. */
  #inferred = false;

  constructor(context: FinalizeContext) {
    this.#context = context;
    this.#asSymbol = context.dialect.choice === "symbol";
  }

  menu(parent: Menu, insideChoice: boolean): void {
    const { symbol } = parent;
    this.#context.at.menu = parent;
    const isChoice = symbol?.isChoice === true;
    if (parent.list !== undefined) {
      if (this.#asSymbol && symbol !== undefined && isChoice) this.#inferTypes(parent, symbol);
      // In generation 1 the mode of a choice bounds its members.
      const parentDep =
        this.#asSymbol && symbol !== undefined && isChoice ? this.#context.pool.symbol(symbol) : parent.dep;
      for (let menu: Menu | undefined = parent.list; menu !== undefined; menu = menu.next) {
        this.#inherit(menu, parentDep);
      }
      for (let menu: Menu | undefined = parent.list; menu !== undefined; menu = menu.next) {
        this.menu(menu, isChoice && !this.#asSymbol);
      }
    } else if (symbol !== undefined && !insideChoice) {
      this.#submenu(parent, symbol);
      symbol.dirDep = this.#context.pool.or(symbol.dirDep, parent.dep);
    }
    for (let menu = parent.list; menu !== undefined; menu = menu.next) {
      if (this.#asSymbol && symbol !== undefined && isChoice) this.#addMember(menu, symbol);
      dissolve(menu, parent);
    }
    if (symbol === undefined) return;
    if (!symbol.warned) {
      if (symbol.type === "unknown") this.#warn(parent, "config symbol defined without type");
      if (this.#asSymbol && isChoice && parent.prompt === undefined)
        this.#warn(parent, "choice must have a prompt");
      this.#checkProperties(symbol);
      symbol.warned = true;
    }
    if (this.#asSymbol && !symbol.optional && parent.prompt !== undefined) {
      // A choice that must be made cannot be set to n while it is visible.
      const { pool, table } = this.#context;
      symbol.revDep = pool.or(symbol.revDep, pool.and(parent.prompt.condition, pool.symbol(table.mod)));
    }
  }

  #inferTypes(parent: Menu, choice: Sym): void {
    if (choice.type === "unknown") {
      for (let menu = parent.list; menu !== undefined; menu = menu.next) {
        if (menu.symbol === undefined || menu.symbol.type === "unknown") continue;
        this.#setType(choice, menu.symbol.type);
        break;
      }
    }
    for (let menu = parent.list; menu !== undefined; menu = menu.next) {
      if (menu.symbol?.type !== "unknown") continue;
      this.#setType(menu.symbol, choice.type);
      this.#inferred = true;
    }
  }

  #setType(symbol: Sym, type: SymbolType): void {
    if (symbol.type === type) return;
    symbol.type = type;
    this.#context.simplifier.typesChanged();
  }

  #inherit(menu: Menu, parentDep: Expr | undefined): void {
    const { pool, simplifier, dialect, at } = this.#context;
    at.menu = menu;
    const simplified = (above: Expr | undefined, own: Expr | undefined): Expr | undefined =>
      simplifier.eliminateDuplicates(pool.and(above, simplifier.transform(this.#rewriteMod(own))));
    menu.dep = simplified(parentDep, menu.dep);
    const properties = menu.symbol?.props ?? (menu.prompt === undefined ? [] : [menu.prompt]);
    for (const property of properties) {
      // A property of another definition of the same symbol is seen to there.
      if (property.menu !== menu) continue;
      let condition = simplified(menu.dep, property.condition);
      if (dialect.transformsBool && menu.symbol !== undefined && menu.symbol.type !== "tristate") {
        condition = simplifier.transformForBool(condition);
      }
      property.condition = condition;
      if (property.kind !== "select" && property.kind !== "imply") continue;
      const target = propertySymbol(property);
      if (target === undefined || menu.symbol === undefined) continue;
      const cause = pool.and(pool.symbol(menu.symbol), condition);
      if (property.kind === "select") target.revDep = pool.or(target.revDep, cause);
      else target.implied = pool.or(target.implied, cause);
    }
  }

  // m is m && MODULES, so that it is n without modules.
  #rewriteMod(expr: Expr | undefined): Expr | undefined {
    if (expr === undefined) return undefined;
    const { pool, table, modules } = this.#context;
    switch (expr.op) {
      case "!": {
        const left = this.#rewriteMod(expr.left) as Expr;
        return left === expr.left ? expr : pool.not(left);
      }
      case "||":
      case "&&": {
        const left = this.#rewriteMod(expr.left) as Expr;
        const right = this.#rewriteMod(expr.right) as Expr;
        return left === expr.left && right === expr.right ? expr : pool.two(expr.op, left, right);
      }
      case "symbol":
        return expr.left === table.mod ? pool.two("&&", expr, pool.symbol(modules)) : expr;
      default:
        return expr;
    }
  }

  // What follows and depends on the symbol goes below it.
  #submenu(parent: Menu, symbol: Sym): void {
    const { simplifier, table, dialect } = this.#context;
    let base: Expr | undefined | null = null;
    const normal = (expr: Expr | undefined): Expr | undefined =>
      simplifier.eliminateDuplicates(simplifier.transform(simplifier.compareWith(expr, "!=", table.no)));
    // C does this each time, which shows on stdout when a bool that was none before is compared with m.
    if (this.#inferred) base = normal(parent.prompt?.condition);
    let last: Menu | undefined;
    for (let menu = parent.next; menu !== undefined; menu = menu.next) {
      const dep = menu.prompt === undefined ? menu.dep : menu.prompt.condition;
      if (!containsSymbol(dep, symbol)) break;
      if (!dependsOnSymbol(dep, symbol, table)) {
        if (dialect.negatedEndsSubmenu && containsNegated(dep, symbol, table)) break;
        // Also when all that the symbol depends on is among its dependencies: "(SYM || Q) && R" when SYM needs R.
        if (base === null) base = normal(parent.prompt?.condition);
        const [, rest] = simplifier.eliminateEqual(normal(dep), base);
        if (!simplifier.isYes(rest)) break;
      }
      this.menu(menu, false);
      menu.parent = parent;
      last = menu;
    }
    if (last === undefined) return;
    parent.list = parent.next;
    parent.next = last.next;
    last.next = undefined;
  }

  // Generation 1: a child of a choice with a symbol is one of its members.
  #addMember(menu: Menu, choice: Sym): void {
    const { symbol } = menu;
    if (symbol === undefined || symbol.isMember) return;
    const { pool, table, output } = this.#context;
    symbol.isMember = true;
    symbol.choice = choice;
    if (menu.prompt === undefined) this.#warn(menu, "choice value must have a prompt");
    for (const property of symbol.props) {
      if (property.kind === "default")
        warnProperty(output, property, "defaults for choice values not supported");
      if (property.menu === menu) continue;
      if (property.kind === "prompt" && property.menu.parent?.symbol !== choice) {
        warnProperty(output, property, "choice value used outside its choice group");
      }
    }
    if (choice.type === "tristate" && symbol.type !== "tristate") {
      // It needs the choice at y.
      const condition = pool.compare("=", choice, table.yes);
      menu.dep = pool.and(condition, menu.dep);
      for (const property of symbol.props) {
        if (property.menu === menu) property.condition = pool.and(condition, property.condition);
      }
    }
    choice.values.push(symbol);
  }

  #checkProperties(symbol: Sym): void {
    const { output } = this.#context;
    const isNumber = symbol.type === "int" || symbol.type === "hex";
    const name = symbol.name ?? "(null)";
    for (const property of symbol.props) {
      const warn = (message: string): void => warnProperty(output, property, message);
      const target = propertySymbol(property);
      switch (property.kind) {
        case "default":
          if ((isNumber || symbol.type === "string") && target === undefined) {
            warn(`default for config symbol '${name}' must be a single symbol`);
          }
          if (target === undefined) break;
          if (isNumber && !isNumberSymbol(symbol, target)) warn(`'${name}': number is invalid`);
          if (symbol.isChoice && !this.#contains(symbol, target)) {
            warn(`choice default symbol '${target.name ?? ""}' is not contained in the choice`);
          }
          break;
        case "select":
        case "imply":
          if (!isLogic(symbol.type)) {
            warn(`config symbol '${name}' uses ${property.kind}, but is not bool or tristate`);
          } else if (target !== undefined && target.type !== "unknown" && !isLogic(target.type)) {
            warn(
              `'${target.name ?? ""}' has wrong type. '${property.kind}' only accept arguments of bool and tristate type`,
            );
          }
          break;
        case "range":
          if (!isNumber) warn("range is only allowed for int or hex symbols");
          if (
            property.expr?.op === "range" &&
            !(isNumberSymbol(symbol, property.expr.left) && isNumberSymbol(symbol, property.expr.right))
          ) {
            warn("range is invalid");
          }
          break;
        default:
      }
    }
  }

  #contains(choice: Sym, member: Sym): boolean {
    return this.#asSymbol ? member.choice === choice : choiceMenu(member)?.symbol === choice;
  }

  #warn(menu: Menu, message: string): void {
    this.#context.output.err(`${menu.file}:${menu.line}:warning: ${message}\n`);
  }
}

// A node that shows nothing hands its children to its parent: an `if`, or a symbol without prompt.
function dissolve(menu: Menu, parent: Menu): void {
  if (menu.list === undefined || menu.prompt?.text !== undefined) return;
  let last = menu.list;
  for (;;) {
    last.parent = parent;
    if (last.next === undefined) break;
    last = last.next;
  }
  last.next = menu.next;
  menu.next = menu.list;
  menu.list = undefined;
}

/** The symbol of a property whose expression is one symbol (prop_get_symbol()). */
export function propertySymbol(property: Property): Sym | undefined {
  return property.expr?.op === "symbol" ? property.expr.left : undefined;
}

function isNumberSymbol(symbol: Sym, value: Sym): boolean {
  if (value.type === "int" || value.type === "hex") return true;
  return value.type === "unknown" && isValidText(symbol.type, value.name ?? "");
}
