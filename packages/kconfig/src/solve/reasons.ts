/** Why requirements cannot be met together, in words: from one of them along what it needs to what rules that out. */
import { exprText, symbolsOf } from "../engine/expr.ts";
import type { Comparison, Expr } from "../engine/expr.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import type { Location } from "../errors.ts";
import { locationOf } from "../explain.ts";
import { decode } from "../internal/symbol-view.ts";
import { visibilityOf } from "./encoder.ts";
import type { Encoding } from "./encode.ts";
import type { Lit } from "./cnf.ts";
import { operandsOf } from "./expressions.ts";
import type { Pair } from "./expressions.ts";
import type { Query } from "./query.ts";
import type { Requirement } from "./requirement.ts";
import { writeValue } from "../value.ts";

/** A step: a sentence and where what it is about stands. */
export interface Reason {
  readonly text: string;
  readonly location: Location | undefined;
}

/** An expression that compares two symbols. */
type Comparing = Extract<Expr, { readonly op: Comparison }>;

// A chain that is longer says no more.
const STEPS = 12;

/** Why the members of a core exclude each other. */
export function reasonsOf(core: readonly Requirement[], query: Query, encoding: Encoding): readonly Reason[] {
  // From whichever there is something to say of; what is to be off says less about itself than what is to be on.
  const off = (one: Requirement): number => (one.request.value.text === "n" ? 1 : 0);
  for (const told of [...core].sort((a, b) => off(a) - off(b))) {
    const chain = new Chain(
      core.filter((one) => one !== told),
      query,
      encoding,
    );
    chain.tell(told);
    if (chain.reasons.length > 0) return chain.reasons;
  }
  return [];
}

class Chain {
  readonly reasons: Reason[] = [];
  readonly #others: readonly Requirement[];
  readonly #query: Query;
  readonly #encoding: Encoding;
  readonly #told = new Set<Sym>();
  /** What else was taken for granted on the way. */
  readonly #given: Lit[] = [];

  constructor(others: readonly Requirement[], query: Query, encoding: Encoding) {
    this.#others = others;
    this.#query = query;
    this.#encoding = encoding;
  }

  /** Whether literals can hold with the other members. */
  can(lits: readonly Lit[]): boolean {
    return this.#query.allows(this.#others, [...this.#given, ...lits]);
  }

  /** Why a requirement cannot be met with the others. */
  tell({ symbol, request: { value } }: Requirement): void {
    if (symbol === undefined) return;
    if (!isLogic(symbol.type)) this.text(symbol);
    else if (value.text === "n") this.down(symbol);
    else if (value.text === "y") this.up(symbol, "y");
    else if (this.can([this.#encoding.pairOf(symbol).on])) this.module(symbol);
    else this.up(symbol, "on");
  }

  /** Why a symbol cannot be on. */
  up(symbol: Sym, level: keyof Pair): void {
    if (symbol.constant || !this.#begin(symbol)) return;
    const name = nameOf(symbol);
    if (symbol.menus.length === 0) return this.#say(`${name} is defined nowhere in this tree`, undefined);
    const at = locationOf(symbol);
    const prompts = symbol.props.filter(({ text }) => text !== undefined);
    const selectors = operandsOf(symbol.revDep, "||");
    const those =
      selectors.length === 1
        ? "what selects it cannot"
        : `none of the ${selectors.length} that select it can`;
    const others = selectors.length === 0 ? "" : `, and ${those} be on`;
    const need = symbol.type === "bool" ? "on" : level;
    const [prompt] = prompts;
    if (prompt === undefined) {
      const nothing = selectors.length === 0 ? ", and nothing selects it" : others;
      this.#say(`${name} cannot be set: it has no prompt${nothing}`, at);
      const [only] = selectors;
      if (selectors.length === 1 && only !== undefined) this.#part(only, need);
      return;
    }
    const parts = operandsOf(prompt.condition, "&&");
    const wrong = parts.find((part) => !this.can([this.#litOf(part, need)]));
    if (wrong?.op === "symbol" && wrong.left.constant && wrong.left.tri === 1) {
      return this.#say(`${name} can be m at most: it needs m${others}`, at);
    }
    if (wrong !== undefined) {
      const more = prompts.length > 1 ? ", and cannot be seen by its other prompts" : "";
      this.#say(
        `${name}${level === "y" && symbol.type === "tristate" ? "=y" : ""} needs ${textOf(wrong)}${more}${others}`,
        at,
      );
      return this.#part(wrong, need);
    }
    if (this.can(parts.map((part) => this.#litOf(part, need)))) return this.#choice(symbol);
    // Each can be had, all of them cannot.
    const needed = this.#fewest(parts, need);
    const last = needed.at(-1);
    this.#say(
      `${name} needs ${needed.map(textOf).join(" and ")}, which exclude each other here${others}`,
      at,
    );
    if (last === undefined) return;
    this.#given.push(...needed.slice(0, -1).map((part) => this.#litOf(part, need)));
    this.#part(last, need);
  }

  /** Why a symbol cannot be off. */
  down(symbol: Sym): void {
    if (!this.#begin(symbol)) return;
    const name = nameOf(symbol);
    const at = locationOf(symbol);
    const selectors = operandsOf(symbol.revDep, "||");
    const { expressions } = this.#encoding;
    const sure = selectors.find((one) => !this.can([-expressions.of(one).on]));
    if (sure !== undefined) {
      const [selector] = operandsOf(sure, "&&");
      this.#say(`${name} is selected by ${textOf(sure)}`, at);
      const blocked = operandsOf(sure, "&&").filter((part) => !this.can([-expressions.of(part).on]));
      const next = blocked.find((part) => part !== selector && part.op !== "symbol") ?? selector;
      if (next !== undefined) this.#off(next);
      return;
    }
    if (symbol.isMember || symbol.choiceNode !== undefined) {
      return this.#say(`${name} has to be chosen: no other member of its choice can be`, at);
    }
    if (!this.can([-expressions.of(symbol.revDep ?? this.#never()).on]) && selectors.length > 0) {
      return this.#say(`${name} is selected by one of ${selectors.slice(0, 4).map(textOf).join(", ")}`, at);
    }
    // It is what was granted on the way, and that was told.
    if (this.can([visibilityOf(symbol, this.#encoding, expressions).on])) return;
    const standard = symbol.props.find(
      ({ kind, condition, expr }) =>
        kind === "default" &&
        !this.can([-expressions.of(condition).on]) &&
        !this.can([-expressions.of(expr).on]),
    );
    const where = standard === undefined ? at : { file: standard.file, line: standard.line, column: 1 };
    this.#say(
      `${name} cannot be seen, and is on by ${standard === undefined ? "its defaults" : "its default"}`,
      where,
    );
  }

  /** Why a symbol that can be on cannot be m. */
  module(symbol: Sym): void {
    const { engine, pairOf, expressions } = this.#encoding;
    const name = nameOf(symbol);
    if (!this.can([pairOf(engine.modules).on])) {
      this.#say(`${name}=m needs ${nameOf(engine.modules)}`, locationOf(symbol));
      return this.up(engine.modules, "on");
    }
    const sure = operandsOf(symbol.revDep, "||").find((one) => !this.can([-expressions.of(one).y]));
    const why = sure === undefined ? "" : `: it is selected by ${textOf(sure)}`;
    this.#say(`${name} can be y, and not m${why}`, locationOf(symbol));
    const [selector] = operandsOf(sure, "&&");
    if (selector?.op === "symbol") this.down(selector.left);
  }

  /** Why a number or string cannot have a value. */
  text(symbol: Sym): void {
    const seen = visibilityOf(symbol, this.#encoding, this.#encoding.expressions).on;
    if (!this.can([seen])) return this.up(symbol, "on");
    const ranges = symbol.props.filter(({ kind }) => kind === "range");
    const at = locationOf(symbol);
    if (ranges.length === 0) return this.#say(`${nameOf(symbol)} has other values only`, at);
    for (const { expr, condition, file, line } of ranges) {
      const { on } = this.#encoding.expressions.of(condition);
      if (!this.can([on])) continue;
      const when = operandsOf(condition, "&&").filter((part) => this.can([-this.#litOf(part, "on")]));
      const cause = when.length === 0 ? "" : ` if ${when.map(textOf).join(" && ")}`;
      this.#say(`${nameOf(symbol)} has the range ${this.#range(expr)}${cause}`, { file, line, column: 1 });
    }
  }

  // A range, with what its bounds can be where they are symbols.
  #range(expr: Expr | undefined): string {
    const bounds = [...symbolsOf(expr)].map((bound) => {
      const values = this.#encoding.expressions.domain(bound).filter(([, is]) => this.can([is]));
      const names = values.map(([text]) => decode(text));
      return bound.menus.length === 0 ? nameOf(bound) : `${nameOf(bound)} (${names.slice(0, 4).join(", ")})`;
    });
    return bounds.join(" to ");
  }

  // Why a part of a condition cannot hold.
  #part(part: Expr, level: keyof Pair): void {
    switch (part.op) {
      case "symbol":
        return this.up(part.left, level);
      case "!":
        return part.left.op === "symbol" ? this.down(part.left.left) : undefined;
      case "&&": {
        const wrong = operandsOf(part, "&&").find((one) => !this.can([this.#litOf(one, level)]));
        return wrong === undefined ? undefined : this.#part(wrong, level);
      }
      case "||": {
        // What is granted on the way down one of them is not granted to the other.
        const granted = this.#given.length;
        for (const one of operandsOf(part, "||").slice(0, 2)) {
          this.#part(one, level);
          this.#given.length = granted;
        }
        return;
      }
      case "range":
        return;
      default:
        this.#comparison(part);
    }
  }

  // Why a comparison cannot hold: of an option with a constant, or of a number or string.
  #comparison({ op, left, right }: Comparing): void {
    if (isLogic(left.type)) {
      if (!right.constant || (op !== "=" && op !== "!=")) return;
      const isOff = right.tri === 0;
      if (isOff) return op === "=" ? this.down(left) : this.up(left, "on");
      if (op === "!=") return;
      const { on } = this.#encoding.pairOf(left);
      if (right.tri === 2 || !this.can([on])) return this.up(left, right.tri === 2 ? "y" : "on");
      return this.module(left);
    }
    const symbol = [left, right].find((one) => this.#encoding.texts.has(one));
    if (symbol !== undefined && !this.#isRequired(symbol)) this.text(symbol);
  }

  // Why a part of what selects cannot be off.
  #off(part: Expr): void {
    if (part.op === "symbol") this.down(part.left);
    else if (part.op === "!" && part.left.op === "symbol") this.up(part.left.left, "on");
  }

  #choice(symbol: Sym): void {
    const { pairOf, engine } = this.#encoding;
    const members = engine.symbols.filter(
      (one) =>
        one !== symbol &&
        ((symbol.choiceNode !== undefined && one.choiceNode === symbol.choiceNode) ||
          (symbol.choice !== undefined && one.choice === symbol.choice)),
    );
    const holder = members.find((one) => !this.can([-pairOf(one).on]));
    const title = decode(
      symbol.choiceNode?.prompt?.text ?? symbol.choice?.menus[0]?.prompt?.text ?? "the choice",
    );
    if (holder === undefined) return;
    this.#say(`${nameOf(symbol)} and ${nameOf(holder)} exclude each other in "${title}"`, locationOf(symbol));
    this.down(holder);
  }

  // The fewest parts that cannot hold together.
  #fewest(parts: readonly Expr[], level: keyof Pair): readonly Expr[] {
    let left = parts;
    for (const part of parts) {
      const without = left.filter((one) => one !== part);
      if (!this.can(without.map((one) => this.#litOf(one, level)))) left = without;
    }
    return left;
  }

  #litOf(part: Expr, level: keyof Pair): Lit {
    return this.#encoding.expressions.of(part)[level];
  }

  #never(): Expr {
    const { engine } = this.#encoding;
    return engine.pool.symbol(engine.table.no);
  }

  // Whether somebody wants a symbol to be something, which then is all that there is to say.
  #isRequired(symbol: Sym): boolean {
    const required = this.#others.find((one) => one.symbol === symbol);
    if (required === undefined) return false;
    const { value, origin } = required.request;
    this.#say(`${nameOf(symbol)} is to be ${writeValue(value)} (${origin})`, required.request.location);
    return true;
  }

  // Whether there is more to say of a symbol.
  #begin(symbol: Sym): boolean {
    if (this.#isRequired(symbol)) return false;
    if (this.#told.has(symbol) || this.reasons.length >= STEPS) return false;
    this.#told.add(symbol);
    return true;
  }

  #say(text: string, location: Location | undefined): void {
    this.reasons.push({ text, location });
  }
}

function nameOf(symbol: Sym): string {
  return decode(symbol.name ?? "the choice");
}

function textOf(expr: Expr | undefined): string {
  return decode(exprText(expr));
}
