/** Choices up to Linux 6.8: a symbol with a mode, m or y, and a chosen member. */
import type { Evaluator } from "./evaluator.ts";
import { propertySymbol } from "./finalize.ts";
import { MOD, NO, YES, give } from "./model.ts";
import type { Sym, Tristate } from "./model.ts";

export class ChoicesAsSymbols {
  readonly #evaluator: Evaluator;

  constructor(evaluator: Evaluator) {
    this.#evaluator = evaluator;
  }

  /** all*config left it to now to set the members of this symbol's choice. */
  prepare(symbol: Sym): void {
    if (!symbol.isMember || !symbol.needSetChoice || symbol.choice === undefined) return;
    symbol.needSetChoice = false;
    this.#evaluator.calc(symbol.choice);
  }

  /** The value of a member whose choice is made, or undefined for other symbols. */
  memberValue(symbol: Sym): Tristate | undefined {
    if (!symbol.isMember || symbol.visible !== YES) return undefined;
    return symbol.choice?.chosen === symbol ? YES : NO;
  }

  /** Its choice decides its value. */
  isDecided(symbol: Sym): boolean {
    return symbol.isMember && symbol.visible === YES;
  }

  /** A tristate member that could only be m is not visible when the choice is y. */
  promptVisibility(symbol: Sym, visible: Tristate): Tristate {
    const hidden =
      symbol.isMember && symbol.type === "tristate" && visible === MOD && symbol.choice?.tri === YES;
    return hidden ? NO : visible;
  }

  choose(symbol: Sym): void {
    if (symbol.isChoice && symbol.tri === YES) symbol.chosen = this.#chosenMember(symbol);
  }

  finish(symbol: Sym): void {
    if (!symbol.isChoice) return;
    for (const member of symbol.values) if (symbol.write && member.visible !== NO) member.write = true;
    symbol.write = false;
    if (symbol.needSetChoice) this.setAllValues(symbol);
  }

  /** Choosing a member settles the choice and its other members. */
  beforeSet(symbol: Sym, value: Tristate): void {
    const { choice } = symbol;
    if (!symbol.isMember || value !== YES || choice === undefined) return;
    choice.userChosen = symbol;
    give(choice, { has: true });
    for (const member of choice.values) if (member.visible !== NO) give(member, { has: true });
  }

  // sym_calc_choice(): the user's member if it is visible, else the default.
  #chosenMember(choice: Sym): Sym | undefined {
    let settled = choice.user.has;
    for (const member of choice.values) {
      this.#evaluator.visibility(member);
      if (member.visible !== NO && !member.user.has) settled = false;
    }
    give(choice, { has: settled });
    const { userChosen } = choice;
    if (userChosen !== undefined && userChosen.visible !== NO) return userChosen;
    const standard = this.defaultMember(choice);
    if (standard === undefined) choice.tri = NO;
    return standard;
  }

  /** sym_choice_default() */
  defaultMember(choice: Sym): Sym | undefined {
    for (const property of choice.props) {
      if (property.kind !== "default") continue;
      property.conditionTri = this.#evaluator.expr(property.condition);
      if (property.conditionTri === NO) continue;
      const symbol = propertySymbol(property);
      if (symbol !== undefined && symbol.visible !== NO) return symbol;
    }
    return choice.values.find((member) => member.visible !== NO);
  }

  /** Sets the members that nobody set to n (set_all_choice_values()). */
  setAllValues(choice: Sym): void {
    for (const member of choice.values) if (!member.user.has) give(member, { tri: NO });
    give(choice, { has: true });
    choice.valid = false;
    choice.needSetChoice = false;
  }
}
