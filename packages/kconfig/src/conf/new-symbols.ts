/** Gives values to all symbols that have none: all*config, defconfig and randconfig (conf.c). */
import { postpone } from "../engine/choice-members.ts";
import type { ChoicesAsSymbols } from "../engine/choice-symbols.ts";
import type { LoadedTree } from "../engine/load.ts";
import { MOD, NO, YES, give, isLogic, menusBelow } from "../engine/model.ts";
import type { Menu, Sym, Tristate } from "../engine/model.ts";

export type NewValues = "default" | "yes" | "mod" | "no" | "random";

/** Chances in percent for randconfig. */
export interface Chances {
  readonly boolYes: number;
  readonly tristateYes: number;
  readonly tristateMod: number;
}

export const EVEN_CHANCES: Chances = { boolYes: 50, tristateYes: 33, tristateMod: 33 };

export interface NewSymbolsRequest {
  readonly values: NewValues;
  readonly chances: Chances;
  /** rand() of C. */
  readonly random: () => number;
}

/** conf_set_all_new_symbols(), and in generation 1 the loop around it. */
export function setNewSymbols(tree: LoadedTree, request: NewSymbolsRequest): void {
  if (tree.dialect.choice === "members") setInMenuOrder(tree, request);
  else if (request.values === "random") while (setInTableOrder(tree, request));
  else setInTableOrder(tree, request);
}

function setInMenuOrder(tree: LoadedTree, request: NewSymbolsRequest): void {
  for (const menu of menusBelow(tree.root)) {
    const { symbol } = menu;
    if (symbol === undefined || menu.prompt === undefined || symbol.user.has) continue;
    if (!isLogic(symbol.type) || symbol.isMember) continue;
    if (symbol.isChoice) {
      if (request.values === "random") randomizeMembers(menu, request.random);
      continue;
    }
    const value = newValue(symbol, request);
    if (value === undefined) continue;
    give(symbol, { has: true, tri: value });
  }
  tree.evaluator.invalidate();
}

// Draws the order of priority of the members that have no value yet.
function randomizeMembers(choice: Menu, random: () => number): void {
  const open = (): Sym[] =>
    [...menusBelow(choice)].flatMap(({ symbol }) =>
      symbol === undefined || symbol.user.has ? [] : [symbol],
    );
  for (let count = open().length; count > 0; count--) {
    const drawn = open()[random() % count];
    if (drawn === undefined) continue;
    give(drawn, { has: true, tri: YES });
    postpone(choice, drawn);
  }
}

function newValue(symbol: Sym, { values, chances, random }: NewSymbolsRequest): Tristate | undefined {
  switch (values) {
    case "yes":
      return YES;
    case "mod":
      return MOD;
    case "no":
      return symbol.allNoY ? YES : NO;
    case "random": {
      const drawn = random() % 100;
      if (symbol.type !== "tristate") return drawn < chances.boolYes ? YES : NO;
      if (drawn < chances.tristateYes) return YES;
      return drawn < chances.tristateYes + chances.tristateMod ? MOD : NO;
    }
    default:
      return undefined;
  }
}

function setInTableOrder(tree: LoadedTree, request: NewSymbolsRequest): boolean {
  const { evaluator, symbols } = tree;
  const random = request.values === "random";
  const { clearsFirst } = tree.dialect;
  let changed = false;
  if (clearsFirst) evaluator.invalidate();
  for (const symbol of symbols) {
    if (symbol.user.has || symbol.valid || !isLogic(evaluator.typeOf(symbol))) continue;
    // Where a choice stays at n, such a conf would draw for ever.
    if (!clearsFirst || !random || !symbol.isChoice) changed = true;
    const value = newValue(symbol, request);
    if (value === undefined) continue;
    give(symbol, symbol.isChoice && random ? { tri: value } : { has: true, tri: value });
  }
  if (!clearsFirst) evaluator.invalidate();
  if (!random) {
    for (const symbol of symbols) {
      if ((symbol.isChoice && !symbol.user.has) || symbol.isMember) symbol.needSetChoice = true;
    }
  }
  for (const symbol of symbols) {
    if (symbol.user.has || !symbol.isChoice) continue;
    evaluator.calc(symbol);
    if (random) {
      const drawn = randomizeChoice(symbol, request.random);
      changed = drawn || (tree.dialect.drawsOn === "any" && changed);
    } else {
      (evaluator.choices as ChoicesAsSymbols).setAllValues(symbol);
      changed = true;
    }
  }
  return changed;
}

function randomizeChoice(choice: Sym, random: () => number): boolean {
  // At m several may be chosen, at n none.
  if (choice.tri !== YES) return false;
  const drawn = random() % choice.values.length;
  for (const [index, member] of choice.values.entries()) {
    if (index === drawn) choice.userChosen = member;
    give(member, { has: true, tri: index === drawn ? YES : NO });
    member.valid = false;
  }
  give(choice, { has: true });
  choice.valid = false;
  return true;
}

/** yes2modconfig and its like (conf_rewrite_tristates()). */
export function rewriteTristates(tree: LoadedTree, from: Tristate, to: Tristate): void {
  for (const symbol of tree.symbols) {
    if (tree.evaluator.typeOf(symbol) === "tristate" && symbol.user.tri === from) give(symbol, { tri: to });
  }
  tree.evaluator.invalidate();
}
