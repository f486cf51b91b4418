/** Choices since Linux 6.9: a menu whose members are bools, in an order of priority that the user's values decide. */
import type { Evaluator } from "./evaluator.ts";
import { propertySymbol } from "./finalize.ts";
import { NO, YES, give, menusBelow } from "./model.ts";
import type { Menu, Sym, Tristate } from "./model.ts";

export class ChoicesAsMembers {
  readonly #evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  /** The value of a member, or undefined for other symbols. */
  memberValue(symbol: Sym): Tristate | undefined {
    const choice = symbol.choiceNode;
    if (choice === undefined) return undefined;
    this.calculate(choice);
    return symbol.tri;
  }

  /** Its choice decides its value. */
  isDecided(symbol: Sym): boolean {
    return symbol.choiceNode !== undefined;
  }

  promptVisibility(_symbol: Sym, visible: Tristate): Tristate {
    return visible;
  }

  choose(_symbol: Sym): void {}

  finish(symbol: Sym): void {
    if (symbol.isChoice) symbol.write = false;
  }

  beforeSet(_symbol: Sym, _value: Tristate): void {}

  /** Sets all members of a choice and gives the chosen one (sym_calc_choice()). */
  calculate(choice: Menu): Sym | undefined {
    let chosen: Sym | undefined;
    for (const symbol of choice.members) {
      this.#evaluator.visibility(symbol);
      if (symbol.visible === NO) continue;
      if (symbol.user.has && symbol.user.tri === YES) {
        chosen = symbol;
        break;
      }
    }
    if (chosen === undefined) {
      const standard = this.defaultMember(choice);
      if (standard !== undefined && !(standard.user.has && standard.user.tri === NO)) chosen = standard;
    }
    if (chosen === undefined) {
      for (const { symbol } of menusBelow(choice)) {
        if (symbol === undefined || symbol.visible === NO || symbol.user.has) continue;
        chosen = symbol;
        break;
      }
    }
    // All were refused: the one refused first.
    chosen ??= choice.members.findLast((symbol) => symbol.visible !== NO);
    for (const { symbol } of menusBelow(choice)) {
      if (symbol === undefined || symbol.visible === NO) continue;
      symbol.tri = symbol === chosen ? YES : NO;
      symbol.valid = true;
      symbol.write = true;
    }
    return chosen;
  }

  /** The first default that is visible, else the first visible member (sym_choice_default()). */
  defaultMember(choice: Menu): Sym | undefined {
    for (const property of choice.symbol?.props ?? []) {
      if (property.kind !== "default") continue;
      property.conditionTri = this.#evaluator.expr(property.condition);
      if (property.conditionTri === NO) continue;
      const symbol = propertySymbol(property);
      if (symbol !== undefined && symbol.visible !== NO) return symbol;
    }
    for (const { symbol } of menusBelow(choice)) {
      if (symbol !== undefined && symbol.visible !== NO) return symbol;
    }
    return undefined;
  }

  /** Lets the user choose a member (choice_set_value()). */
  set(choice: Menu, member: Sym): void {
    let changed = false;
    for (const { symbol } of menusBelow(choice)) {
      if (symbol === undefined || symbol.visible === NO) continue;
      const value = symbol === member ? YES : NO;
      if (symbol.tri !== value) changed = true;
      give(symbol, { has: true, tri: value });
      prioritize(choice, symbol);
    }
    if (changed) this.#evaluator.invalidate();
  }
}

/** Puts a member first (list_move()). */
export function prioritize(choice: Menu, member: Sym): void {
  remove(choice.members, member);
  choice.members.unshift(member);
}

/** Puts a member last (list_move_tail()). */
export function postpone(choice: Menu, member: Sym): void {
  remove(choice.members, member);
  choice.members.push(member);
}

function remove(members: Sym[], member: Sym): void {
  const index = members.indexOf(member);
  if (index >= 0) members.splice(index, 1);
}
