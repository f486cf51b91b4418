/** Values of symbols and expressions (sym_calc_value() in symbol.c, expr_calc_value() in expr.c). */
import { ChoicesAsMembers } from "./choice-members.ts";
import { ChoicesAsSymbols } from "./choice-symbols.ts";
import type { Dialect } from "./dialect.ts";
import type { Output, Place } from "./errors.ts";
import type { Expr } from "./expr.ts";
import { propertySymbol } from "./finalize.ts";
import { unmetLine, unmetWarning } from "./expr-values.ts";
import { MOD, NO, YES, give, isLogic } from "./model.ts";
import type { Menu, Property, Sym, SymbolType, Tristate } from "./model.ts";
import { compareValues, holds, isValidText, spellNumber, toSigned, toTristate } from "./text-value.ts";

const TRISTATE_TEXT = ["n", "m", "y"] as const;

export interface EvaluatorContext {
  readonly dialect: Dialect;
  readonly output: Output;
  readonly modules: Sym;
  /** All symbols in conf's order. */
  readonly symbols: readonly Sym[];
  /** Whether the first goes without saying the second, for what is told of unmet dependencies. */
  readonly contains?: ((one: Expr, two: Expr | undefined) => boolean) | undefined;
}

export class Evaluator {
  readonly context: EvaluatorContext;
  readonly choices: ChoicesAsMembers | ChoicesAsSymbols;
  /** What differs from the file that was read, so that it should be written. */
  changed = false;
  /** Unmet dependencies that were warned of. */
  warnings = 0;
  #modules: Tristate = NO;
  #last: Sym | undefined;
  #epoch = 0;
  readonly #asSymbol: boolean;
  readonly #keepsValues: boolean;

  constructor(context: EvaluatorContext) {
    this.context = context;
    this.#asSymbol = context.dialect.choice === "symbol";
    this.#keepsValues = context.dialect.keepsValues;
    this.choices = this.#asSymbol ? new ChoicesAsSymbols(this) : new ChoicesAsMembers(this);
  }

  /** The value of an expression; none is y. */
  expr(expr: Expr | undefined): Tristate {
    if (expr === undefined) return YES;
    if (this.#keepsValues) {
      if (expr.epoch !== this.#epoch) {
        const value = this.#exprValue(expr);
        expr.tri = value;
        expr.epoch = this.#epoch;
      }
      return expr.tri;
    }
    return this.#exprValue(expr);
  }

  #exprValue(expr: Expr): Tristate {
    switch (expr.op) {
      case "symbol":
        this.calc(expr.left);
        return expr.left.tri;
      case "&&": {
        const left = this.expr(expr.left);
        const right = this.expr(expr.right);
        return left < right ? left : right;
      }
      case "||": {
        const left = this.expr(expr.left);
        const right = this.expr(expr.right);
        return left > right ? left : right;
      }
      case "!":
        return (2 - this.expr(expr.left)) as Tristate;
      case "range":
        return NO;
      default: {
        this.calc(expr.left);
        this.calc(expr.right);
        const numbers = this.context.dialect.comparesNumbers;
        const order = compareValues(
          { text: this.text(expr.left), type: numbers ? expr.left.type : "string" },
          { text: this.text(expr.right), type: numbers ? expr.right.type : "string" },
        );
        return holds(expr.op, order) ? YES : NO;
      }
    }
  }

  /** A tristate is a bool without modules; generation 1 also takes members of a chosen choice for bools. */
  typeOf(symbol: Sym): SymbolType {
    if (symbol.type !== "tristate") return symbol.type;
    if (this.#asSymbol && symbol.isMember && symbol.visible === YES) return "bool";
    return this.#modules === NO ? "bool" : "tristate";
  }

  get modulesOn(): boolean {
    return this.#modules !== NO;
  }

  /** Where the symbol is defined whose value was looked for last. */
  get place(): Place {
    return this.#last?.menus[0] ?? { file: "", line: 0 };
  }

  /** Its value as text, as of the last calc(). What C has none for, also as a user's value, it prints as "(null)". */
  text(symbol: Sym): string {
    if (!isLogic(symbol.type)) return symbol.text ?? "(null)";
    const { dialect, modules } = this.context;
    if (symbol.tri === MOD && dialect.modNeedsModules) {
      this.calc(modules);
      if (modules.tri === NO) return "n";
    }
    return TRISTATE_TEXT[symbol.tri];
  }

  /** Brings the value of a symbol up to date. */
  calc(symbol: Sym): void {
    if (symbol.valid) return;
    this.#last = symbol;
    if (this.choices instanceof ChoicesAsSymbols) this.choices.prepare(symbol);
    symbol.valid = true;
    if (symbol.assumed !== undefined) {
      symbol.tri = symbol.assumed;
      return;
    }
    const { dialect } = this.context;
    let tri: Tristate = NO;
    let text: string | undefined;
    switch (symbol.type) {
      case "int":
        text = dialect.emptyNumber ? "" : "0";
        break;
      case "hex":
        text = dialect.emptyNumber ? "" : "0x0";
        break;
      case "string":
        text = "";
        break;
      case "bool":
      case "tristate":
        text = "n";
        break;
      default:
        symbol.text = symbol.name;
        symbol.tri = NO;
        return;
    }
    if (!symbol.isMember || !dialect.keepsMembers) symbol.write = false;
    this.visibility(symbol);
    if (symbol.visible !== NO) symbol.write = true;
    // What a recursion sees.
    symbol.tri = tri;
    symbol.text = text;
    symbol.chosen = undefined;
    let source: Property | undefined;
    if (isLogic(this.typeOf(symbol))) {
      const member = this.choices.memberValue(symbol);
      if (member === undefined) {
        if (symbol.visible !== NO && symbol.user.has) {
          tri = symbol.user.tri < symbol.visible ? symbol.user.tri : symbol.visible;
        } else {
          if (symbol.revTri !== NO) symbol.write = true;
          if (!symbol.isChoice) {
            source = this.defaultOf(symbol);
            if (source !== undefined) {
              const value = this.expr(source.expr);
              const bound = this.#boundOfDefault(symbol, source);
              tri = value < bound ? value : bound;
              if (tri !== NO || dialect.writesDefaultN) symbol.write = true;
            }
            if (symbol.impliedTri !== NO) {
              symbol.write = true;
              if (symbol.impliedTri > tri) tri = symbol.impliedTri;
              if (dialect.imply === "bounded" && symbol.dirTri < tri) tri = symbol.dirTri;
            }
          }
        }
        if (dialect.unmetSelects === "ignored") {
          if (symbol.dirTri === NO && symbol.revTri !== NO) tri = NO;
          else if (symbol.revTri > tri) tri = symbol.revTri;
        } else {
          if (symbol.dirTri < symbol.revTri && dialect.defaultsFollow === "condition")
            this.#warnUnmet(symbol);
          if (symbol.revTri > tri) tri = symbol.revTri;
        }
      } else tri = member;
      if (tri === MOD && (this.typeOf(symbol) === "bool" || this.#impliesYes(symbol))) tri = YES;
    } else if (symbol.visible !== NO && symbol.user.has) {
      // A choice whose members are texts holds the user's member where others hold their text, which C takes for one.
      text = symbol.userChosen === undefined ? symbol.user.text : "";
      symbol.chosen = symbol.userChosen;
    } else {
      source = this.defaultOf(symbol);
      const value = source === undefined ? undefined : propertySymbol(source);
      if (value !== undefined) {
        symbol.write = true;
        this.calc(value);
        text = value.text;
      }
    }
    if (source !== undefined && !symbol.user.has) this.#takeTransitional(symbol, source, tri, text);
    symbol.tri = tri;
    symbol.text = text;
    this.choices.choose(symbol);
    this.#clampToRange(symbol);
    if (symbol === this.context.modules) this.#modules = symbol.tri;
    this.choices.finish(symbol);
    if (symbol.transitional || symbol.noWrite) symbol.write = false;
  }

  #warnUnmet(symbol: Sym): void {
    const line = this.context.dialect.unmetSelects === "line";
    if (line && symbol.dirTri !== NO) return;
    this.warnings++;
    this.context.output.err(line ? unmetLine(symbol, this.context.contains) : unmetWarning(symbol, this));
  }

  #boundOfDefault(symbol: Sym, property: Property): Tristate {
    if (this.context.dialect.defaultsFollow === "condition") return property.conditionTri;
    return symbol.visible === NO && symbol.revTri === NO ? YES : symbol.visible;
  }

  #impliesYes(symbol: Sym): boolean {
    return this.context.dialect.imply === "gated" && symbol.impliedTri === YES;
  }

  // A value that comes from a transitional symbol's user value is the user's too (generation 3).
  #takeTransitional(symbol: Sym, source: Property, tri: Tristate, text: string | undefined): void {
    const from = propertySymbol(source);
    if (from === undefined || !from.transitional || !from.user.has) return;
    symbol.user = { has: true, tri, text };
  }

  /** Visibility, dependencies, selects and implies of a symbol (sym_calc_visibility()). */
  visibility(symbol: Sym): void {
    if (symbol.transitional) {
      symbol.visible = YES;
      return;
    }
    let tri: Tristate = NO;
    for (const property of symbol.props) {
      if (property.text === undefined) continue;
      const visible = this.choices.promptVisibility(symbol, this.expr(property.condition));
      property.conditionTri = visible;
      if (visible > tri) tri = visible;
    }
    if (tri === MOD && (symbol.type !== "tristate" || this.#modules === NO)) tri = YES;
    symbol.visible = tri;
    if (symbol.isMember) return;
    symbol.dirTri = this.#bounded(symbol, symbol.dirDep, YES);
    symbol.revTri = this.#bounded(symbol, symbol.revDep, NO);
    const implies = this.context.dialect.imply === "bounded" || symbol.dirTri !== NO;
    symbol.impliedTri = implies ? this.#bounded(symbol, symbol.implied, NO) : NO;
  }

  #bounded(symbol: Sym, expr: Expr | undefined, absent: Tristate): Tristate {
    const tri = expr === undefined ? absent : this.expr(expr);
    return tri === MOD && this.typeOf(symbol) === "bool" ? YES : tri;
  }

  /** The first default whose condition holds. */
  defaultOf(symbol: Sym): Property | undefined {
    return this.#firstHolding(symbol, "default");
  }

  /** The first range whose condition holds. */
  rangeOf(symbol: Sym): Property | undefined {
    return this.#firstHolding(symbol, "range");
  }

  #firstHolding(symbol: Sym, kind: "default" | "range"): Property | undefined {
    for (const property of symbol.props) {
      if (property.kind !== kind) continue;
      property.conditionTri = this.expr(property.condition);
      if (property.conditionTri !== NO) return property;
    }
    return undefined;
  }

  #rangeValue(symbol: Sym, base: 10 | 16): bigint {
    this.calc(symbol);
    const own = symbol.type === "int" ? 10 : symbol.type === "hex" ? 16 : base;
    return toSigned(symbol.text ?? "", own);
  }

  #clampToRange(symbol: Sym): void {
    if (symbol.type !== "int" && symbol.type !== "hex") return;
    const range = this.rangeOf(symbol)?.expr;
    if (range?.op !== "range") return;
    const base = symbol.type === "int" ? 10 : 16;
    const value = toSigned(symbol.text ?? "", base);
    let bound = range.left;
    if (value >= this.#rangeValue(bound, base)) {
      bound = range.right;
      if (value <= this.#rangeValue(bound, base)) return;
    }
    symbol.text = this.context.dialect.respellsBounds
      ? spellNumber(this.#rangeValue(bound, base), base)
      : bound.text;
  }

  /** Makes all values be worked out anew (sym_clear_all_valid()). */
  invalidate(): void {
    this.invalidateSymbols();
    this.changed = true;
    this.calc(this.context.modules);
  }

  invalidateSymbols(): void {
    for (const symbol of this.context.symbols) symbol.valid = false;
    this.forgetExpressions();
  }

  /** Forgets all that was worked out, as if the tree had just been loaded. */
  forget(): void {
    for (const symbol of this.context.symbols) {
      symbol.valid = false;
      symbol.write = false;
      symbol.visible = NO;
    }
    this.forgetExpressions();
  }

  /** Makes the values of all expressions be worked out anew, when symbols are. */
  forgetExpressions(): void {
    this.#epoch++;
  }

  /** sym_tristate_within_range() */
  allows(symbol: Sym, value: Tristate): boolean {
    const type = this.typeOf(symbol);
    if (symbol.visible === NO || !isLogic(type)) return false;
    if (type === "bool" && value === MOD) return false;
    if (symbol.visible <= symbol.revTri) return false;
    if (value === MOD && this.#impliesYes(symbol)) return false;
    if (this.#asSymbol && symbol.isMember && symbol.visible === YES) return value === YES;
    return value >= symbol.revTri && value <= symbol.visible;
  }

  /** sym_string_within_range() */
  allowsText(symbol: Sym, text: string): boolean {
    if (!isValidText(symbol.type, text)) return false;
    if (isLogic(symbol.type)) return this.allows(symbol, toTristate(text));
    if (symbol.type === "string") return true;
    const range = this.rangeOf(symbol)?.expr;
    if (range?.op !== "range") return true;
    const base = symbol.type === "int" ? 10 : 16;
    const value = toSigned(text, base);
    return value >= this.#rangeValue(range.left, base) && value <= this.#rangeValue(range.right, base);
  }

  /** Gives a symbol the user's value; false when it cannot have it (sym_set_tristate_value()). */
  setTristate(symbol: Sym, value: Tristate): boolean {
    const old = symbol.tri;
    if (!(this.#asSymbol && old === value) && !this.allows(symbol, value)) return false;
    this.choices.beforeSet(symbol, value);
    give(symbol, { has: true, tri: value });
    if (old !== value) this.invalidate();
    return true;
  }

  /** sym_set_string_value() */
  setText(symbol: Sym, text: string): boolean {
    if (isLogic(symbol.type)) {
      return /^[yYmMnN]/.test(text) && this.setTristate(symbol, toTristate(text));
    }
    if (!this.allowsText(symbol, text)) return false;
    const value = symbol.type === "hex" && !/^0[xX]/.test(text) ? `0x${text}` : text;
    const same = symbol.user.text === value && value === text;
    give(symbol, { has: true, text: value });
    if (same) return true;
    this.invalidate();
    return true;
  }

  /** More than n or what selects it can be chosen (sym_is_changeable()). */
  isChangeable(symbol: Sym): boolean {
    if (!this.#asSymbol && symbol.isChoice) return false;
    return symbol.visible > symbol.revTri;
  }

  /** menu_is_visible() in menu.c */
  isVisible(menu: Menu): boolean {
    const { prompt, symbol } = menu;
    if (prompt === undefined) return false;
    if (menu.visibility !== undefined && this.expr(menu.visibility) === NO) return false;
    if (symbol === undefined) prompt.conditionTri = this.expr(prompt.condition);
    else this.calc(symbol);
    if (prompt.conditionTri !== NO) return true;
    if (symbol === undefined || symbol.tri === NO) return false;
    for (let child = menu.list; child !== undefined; child = child.next) {
      if (!this.isVisible(child)) continue;
      if (this.context.dialect.visibleSetsUser) give(symbol, { has: true });
      return true;
    }
    return false;
  }
}
