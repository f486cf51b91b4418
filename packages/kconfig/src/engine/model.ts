/**
 * What a Kconfig tree is made of while it is parsed and evaluated. Mutable and private to the engine; `tree.ts` shows
 * it to the outside. Names follow scripts/kconfig/expr.h.
 */
import type { Expr } from "./expr.ts";

/** A tristate: n, m, y, ordered as the language orders them. */
export type Tristate = 0 | 1 | 2;
export const NO = 0;
export const MOD = 1;
export const YES = 2;

export type SymbolType = "unknown" | "bool" | "tristate" | "int" | "hex" | "string";

/** A value from outside: `.config` (user) or auto.conf (auto). Never changed: most symbols have the same one. */
export interface GivenValue {
  readonly has: boolean;
  readonly tri: Tristate;
  readonly text: string | undefined;
}

/** `symbol` stands for the definition itself, in generation 1 only. */
export type PropertyKind =
  | "symbol"
  | "prompt"
  | "comment"
  | "menu"
  | "default"
  | "select"
  | "imply"
  | "range";

export interface Property {
  kind: PropertyKind;
  /** The prompt of a prompt, comment or menu. */
  text: string | undefined;
  /** Under which condition it holds, and the value that this had when last looked at. */
  condition: Expr | undefined;
  conditionTri: Tristate;
  /** The default's value, the selected symbol, the range. */
  expr: Expr | undefined;
  readonly menu: Menu;
  readonly file: string;
  readonly line: number;
}

/** A node of the menu tree: one definition of a symbol, a choice, a menu, a comment or an `if`. */
export interface Menu {
  readonly kind: "symbol" | "menuconfig" | "choice" | "comment" | "if" | "menu";
  next: Menu | undefined;
  parent: Menu | undefined;
  list: Menu | undefined;
  readonly symbol: Sym | undefined;
  prompt: Property | undefined;
  /** `visible if` */
  visibility: Expr | undefined;
  /** `depends on`, with those of the parents once finalized. */
  dep: Expr | undefined;
  /** As it stands in the file; formatHelp() makes it readable. */
  rawHelp: string | undefined;
  readonly file: string;
  readonly line: number;
  /** The members of a choice, those with priority first (generation 2 on). */
  members: Sym[];
}

export interface Sym {
  readonly id: number;
  /** Undefined for a choice without name. */
  readonly name: string | undefined;
  type: SymbolType;
  /** Written in quotes, or one of y, m, n. */
  readonly constant: boolean;
  readonly isChoice: boolean;
  /** Stands in a choice. */
  isMember: boolean;
  /** The choice that it stands in (generation 1). */
  choice: Sym | undefined;
  /** The choice that it stands in, once the tree is finished (generation 2 on). */
  choiceNode: Menu | undefined;
  /** The members of a choice in order of definition (generation 1). */
  values: Sym[];
  optional: boolean;
  transitional: boolean;
  /** Never written to `.config`: from `option env` or `option defconfig_list`. */
  noWrite: boolean;
  /** y in allnoconfig: `option allnoconfig_y`. */
  allNoY: boolean;
  menus: Menu[];
  props: Property[];
  /** What it depends on, what selects and what implies it, and the values that these had when last looked at. */
  dirDep: Expr | undefined;
  dirTri: Tristate;
  revDep: Expr | undefined;
  revTri: Tristate;
  implied: Expr | undefined;
  impliedTri: Tristate;

  /** A value that is taken for granted, to try what would follow from it. */
  assumed: Tristate | undefined;
  tri: Tristate;
  text: string | undefined;
  /** The chosen member of a choice (generation 1). */
  chosen: Sym | undefined;
  visible: Tristate;
  valid: boolean;
  /** To be written to `.config`. */
  write: boolean;
  written: boolean;
  /** Choice values are still to be set to n (generation 1, all*config). */
  needSetChoice: boolean;
  user: GivenValue;
  /** The member that the user chose (generation 1). */
  userChosen: Sym | undefined;
  auto: GivenValue;

  /** On the stack of the check for recursive dependencies; checked already; its properties were checked. */
  checking: boolean;
  checked: boolean;
  warned: boolean;
}

/** The value of all symbols that `.config` or auto.conf does not name. */
export const NOT_GIVEN: GivenValue = Object.freeze({ has: false, tri: NO, text: undefined });

/** Changes the user's value of a symbol. */
export function give(symbol: Sym, change: Partial<GivenValue>): void {
  const { has, tri, text } = symbol.user;
  symbol.user = { has, tri, text, ...change };
}

/** The members of all that is no choice. */
export const NONE: Sym[] = [];
Object.freeze(NONE);

export function makeSymbol(
  id: number,
  name: string | undefined,
  kind: { constant: boolean; choice: boolean },
): Sym {
  return {
    id,
    name,
    type: "unknown",
    constant: kind.constant,
    isChoice: kind.choice,
    isMember: false,
    choice: undefined,
    choiceNode: undefined,
    values: kind.choice ? [] : NONE,
    optional: false,
    transitional: false,
    noWrite: false,
    allNoY: false,
    menus: [],
    props: [],
    dirDep: undefined,
    dirTri: NO,
    revDep: undefined,
    revTri: NO,
    implied: undefined,
    impliedTri: NO,
    assumed: undefined,
    tri: NO,
    text: undefined,
    chosen: undefined,
    visible: NO,
    valid: false,
    write: false,
    written: false,
    needSetChoice: false,
    user: NOT_GIVEN,
    userChosen: undefined,
    auto: NOT_GIVEN,
    checking: false,
    checked: false,
    warned: false,
  };
}

export function isLogic(type: SymbolType): boolean {
  return type === "bool" || type === "tristate";
}

/** The next node depth first, or undefined at the end of `root` (menu_next() in menu.c). */
export function nextMenu(menu: Menu, root: Menu): Menu | undefined {
  if (menu.list !== undefined) return menu.list;
  let at: Menu | undefined = menu;
  while (at !== undefined && at !== root && at.next === undefined) at = at.parent;
  return at === undefined || at === root ? undefined : at.next;
}

/** All nodes below `root`, depth first. */
export function* menusBelow(root: Menu): Generator<Menu> {
  for (let menu = nextMenu(root, root); menu !== undefined; menu = nextMenu(menu, root)) yield menu;
}

/** The definition with a prompt, if any. */
export function promptMenu(symbol: Sym): Menu | undefined {
  return symbol.menus.find((menu) => menu.prompt !== undefined);
}

/** The choice that a symbol with prompt stands in (sym_get_choice_menu() in symbol.c, generation 2 on). */
export function choiceMenu(symbol: Sym): Menu | undefined {
  let menu = promptMenu(symbol);
  if (menu === undefined) return undefined;
  do menu = menu.parent;
  while (menu !== undefined && menu.symbol === undefined);
  return menu?.symbol?.isChoice === true ? menu : undefined;
}

export const TYPE_NAMES: Readonly<Record<SymbolType, string>> = {
  unknown: "unknown",
  bool: "bool",
  tristate: "tristate",
  int: "integer",
  hex: "hex",
  string: "string",
};
