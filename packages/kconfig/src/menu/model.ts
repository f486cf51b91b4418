/** A tree as a menu sees it: what is where, what may be set, and the values that any settings lead to. */
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES, isLogic } from "../engine/model.ts";
import type { GivenValue, Menu, Sym, Tristate } from "../engine/model.ts";
import { isValidText } from "../engine/text-value.ts";
import { configText } from "../engine/write.ts";
import type { Incremental } from "../internal/incremental.ts";
import { decode, encode } from "../internal/symbol-view.ts";
import { engineOf, incrementalOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";
import { Journal } from "./settings.ts";
import type { Settings } from "./settings.ts";

const LETTERS = ["n", "m", "y"] as const;

export class MenuModel {
  readonly tree: KconfigTree;
  readonly engine: LoadedTree;
  readonly journal: Journal;
  readonly #incremental: Incremental;

  /** The tree has the configuration that is to be changed. From now on only the model changes it. */
  constructor(tree: KconfigTree) {
    this.tree = tree;
    this.engine = engineOf(tree);
    this.#incremental = incrementalOf(tree);
    this.journal = new Journal(this.engine, this.#incremental);
  }

  get root(): Menu {
    return this.engine.root;
  }

  get prefix(): string {
    return this.engine.dialect.prefix;
  }

  /** All that is asked from now on is asked of these settings. */
  at(settings: Settings): void {
    this.journal.goTo(settings);
  }

  /** The value as `.config` has it, without quotes. */
  value(symbol: Sym): string {
    const { evaluator } = this.engine;
    evaluator.calc(symbol);
    return decode(evaluator.text(symbol));
  }

  visibility(symbol: Sym): Tristate {
    this.engine.evaluator.calc(symbol);
    return symbol.visible;
  }

  /** menu_is_visible() in menu.c, without what it does to symbols. */
  isShown(node: Menu): boolean {
    const { evaluator } = this.engine;
    const { prompt, symbol, visibility } = node;
    if (prompt === undefined) return false;
    if (visibility !== undefined && evaluator.expr(visibility) === NO) return false;
    if (symbol === undefined) return evaluator.expr(prompt.condition) !== NO;
    evaluator.calc(symbol);
    if (prompt.conditionTri !== NO) return true;
    if (symbol.tri === NO) return false;
    for (let child = node.list; child !== undefined; child = child.next) {
      if (this.isShown(child)) return true;
    }
    return false;
  }

  /** Its choice decides: it can be chosen, and no more. */
  isMember(symbol: Sym): boolean {
    this.engine.evaluator.calc(symbol);
    return this.engine.evaluator.choices.isDecided(symbol);
  }

  /** The member of a choice that holds it. */
  chosen(choice: Menu): Sym | undefined {
    const members = choice.members.length > 0 ? choice.members : (choice.symbol?.values ?? []);
    return members.find((member) => {
      this.engine.evaluator.calc(member);
      return member.tri === YES;
    });
  }

  /** The values of a bool, tristate or choice that can be set now. */
  options(symbol: Sym): readonly Tristate[] {
    const { evaluator, dialect } = this.engine;
    evaluator.calc(symbol);
    if (!isLogic(symbol.type) || symbol.visible === NO) return [];
    if (symbol.isChoice && dialect.choice !== "symbol") return [];
    if (this.isMember(symbol)) return [YES];
    return ([NO, MOD, YES] as const).filter((tri) => evaluator.allows(symbol, tri));
  }

  /** Whether there is anything to set. */
  isChangeable(symbol: Sym): boolean {
    const { evaluator } = this.engine;
    evaluator.calc(symbol);
    return evaluator.isChangeable(symbol);
  }

  /** Gives a bool or tristate a value that is among its options. */
  setLogic(symbol: Sym, tri: Tristate): Settings {
    const letter = LETTERS[tri];
    return this.journal.record(`${nameOf(symbol)}=${letter}`, () => {
      this.#incremental.set(symbol, letter);
      // Nothing keeps a choice at y but that somebody chose (generation 1).
      const { chosen } = symbol;
      if (symbol.isChoice && tri === YES && chosen !== undefined) this.#incremental.set(chosen, letter);
    });
  }

  /** Gives a number or string a value, unless it cannot have it: then it tells why, in a line. */
  setText(symbol: Sym, typed: string): Settings | { readonly problem: string } {
    const { evaluator } = this.engine;
    evaluator.calc(symbol);
    const text = this.spelled(symbol, typed);
    const problem = this.#problemOf(symbol, text);
    if (problem !== undefined) return { problem };
    return this.journal.record(`${nameOf(symbol)}=${text}`, () =>
      this.#incremental.set(symbol, encode(text)),
    );
  }

  /** Gives a symbol a value without asking whether it can have it, as part of a step. */
  force(symbol: Sym, text: string): void {
    this.#incremental.set(symbol, encode(text));
  }

  /** Puts back what the user gave, as part of a step. */
  give(symbol: Sym, user: GivenValue): void {
    symbol.user = user;
    this.#incremental.invalidate(symbol);
  }

  /** A number or string as it is written: a hexadecimal number with its 0x. */
  spelled(symbol: Sym, typed: string): string {
    if (symbol.type === "string") return typed;
    const text = typed.trim();
    // C takes those without as well (sym_set_string_value() in symbol.c).
    return symbol.type === "hex" && !/^0[xX]/.test(text) ? `0x${text}` : text;
  }

  /** What is wrong with a text as a value of its type, whatever else is set. */
  typeProblem(symbol: Sym, text: string): string | undefined {
    if (isValidText(symbol.type, encode(text))) return undefined;
    return `"${text}" is no ${symbol.type === "hex" ? "hexadecimal number" : "whole number"}`;
  }

  #problemOf(symbol: Sym, text: string): string | undefined {
    const { evaluator } = this.engine;
    const problem = this.typeProblem(symbol, text);
    if (problem !== undefined) return problem;
    if (symbol.visible === NO) return `${nameOf(symbol)} cannot be set as things are`;
    const range = this.range(symbol);
    if (range === undefined || evaluator.allowsText(symbol, encode(text))) return undefined;
    return `${text} is out of range: it goes from ${range.low} to ${range.high}`;
  }

  /** The range that holds now. */
  range(symbol: Sym): { readonly low: string; readonly high: string } | undefined {
    if (symbol.type !== "int" && symbol.type !== "hex") return undefined;
    const range = this.engine.evaluator.rangeOf(symbol)?.expr;
    if (range?.op !== "range") return undefined;
    return { low: this.value(range.left), high: this.value(range.right) };
  }

  /** Whether the value comes from the user or a file, and not from the tree. */
  isGiven(symbol: Sym): boolean {
    return symbol.user.has;
  }

  /** The bytes of `.config` for settings, worked out from nothing, as conf would write them. */
  configBytes(settings: Settings): Buffer {
    return Buffer.from(this.#configText(settings), "latin1");
  }

  /** Whether two settings lead to the same `.config`. */
  isSame(one: Settings, two: Settings): boolean {
    return one === two || this.#configText(one) === this.#configText(two);
  }

  #configText(settings: Settings): string {
    this.at(settings);
    return this.journal.borrow(() => {
      this.journal.refresh();
      return configText(this.engine, { prefix: this.prefix });
    });
  }
}

export function nameOf(symbol: Sym): string {
  return symbol.name === undefined ? "the choice" : decode(symbol.name);
}
