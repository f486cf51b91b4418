/** Choices as clauses: since Linux 6.9 (choice-members.ts), and before (choice-symbols.ts). */
import type { LoadedTree } from "../engine/load.ts";
import { isLogic, menusBelow } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { propertySymbol } from "../engine/finalize.ts";
import { FALSE, TRUE } from "./cnf.ts";
import type { Lit } from "./cnf.ts";
import { visibilityOf } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { ALWAYS, Expressions } from "./expressions.ts";

/** All symbols whose choice decides their value. */
export function choiceMembers(engine: LoadedTree): ReadonlySet<Sym> {
  return new Set(engine.symbols.filter((symbol) => symbol.isMember || symbol.choiceNode !== undefined));
}

/** Of the members that can be seen exactly one is y. Gives for each choice what holds when that is not its default. */
export function encodeMemberChoices(encoder: Encoder): readonly Lit[] {
  const astray: Lit[] = [];
  const { cnf, engine, expressions, lits } = encoder;
  for (const menu of menusBelow(engine.root)) {
    if (menu.symbol?.isChoice !== true) continue;
    const members = engine.symbols.filter((symbol) => symbol.choiceNode === menu);
    const ons = members.map((member) => lits.pairOf(member).on);
    cnf.atMostOne(ons);
    for (const member of members) {
      const seen = visibilityOf(member, encoder, expressions).on;
      cnf.clause(-lits.pairOf(member).on, seen);
      cnf.clause(-seen, ...ons);
    }
    const inOrder = [...menusBelow(menu)].flatMap(({ symbol }) => (symbol === undefined ? [] : [symbol]));
    astray.push(
      ...astrayOf(
        menu.symbol,
        inOrder.filter((one) => members.includes(one)),
        encoder,
      ),
    );
  }
  return astray;
}

// The default is the first that the choice names and that can be seen, or else the first that can be seen.
function astrayOf(choice: Sym, members: readonly Sym[], encoder: Encoder): readonly Lit[] {
  if (members.length < 2) return [];
  const { cnf, expressions, lits } = encoder;
  const astray = cnf.variable();
  let open: Lit = TRUE;
  const defaults = new Map<Sym, Lit[]>();
  const take = (member: Sym, condition: Lit): void => {
    const here = cnf.and(open, condition, visibilityOf(member, encoder, expressions).on);
    open = cnf.and(open, -here);
    const known = defaults.get(member);
    if (known === undefined) defaults.set(member, [here]);
    else known.push(here);
  };
  for (const property of choice.props) {
    if (property.kind !== "default") continue;
    const member = propertySymbol(property);
    if (member !== undefined && members.includes(member)) take(member, expressions.of(property.condition).on);
  }
  for (const member of members) take(member, TRUE);
  for (const member of members) cnf.clause(-lits.pairOf(member).y, ...(defaults.get(member) ?? []), astray);
  return [astray];
}

/** A choice is a symbol: at y one member is y, at m any may be m. Gives the same as the other. */
export function encodeSymbolChoices(encoder: Encoder): readonly Lit[] {
  return encoder.engine.symbols.flatMap((choice) =>
    choice.isChoice && isLogic(choice.type) ? encodeSymbolChoice(choice, encoder) : [],
  );
}

function encodeSymbolChoice(choice: Sym, encoder: Encoder): readonly Lit[] {
  const { cnf, expressions, lits, modules } = encoder;
  const { on, y } = lits.pairOf(choice);
  const tristate = choice.type === "tristate";
  const members = choice.values.filter((member) => isLogic(member.type));
  // A member that could only be m is hidden in a choice at y.
  const chosenBy = (member: Sym, given: Expressions): Lit => {
    const seen = visibilityOf(member, encoder, given);
    return member.type === "tristate" ? seen.y : seen.on;
  };
  // Whether there would be something to choose if it were y; a choice without is n.
  const assumed = new Expressions({
    ...lits,
    pairOf: (symbol) => (symbol === choice ? ALWAYS : lits.pairOf(symbol)),
  });
  const filled = cnf.or(...members.map((member) => chosenBy(member, assumed)));
  const seen = visibilityOf(choice, encoder, expressions);
  const forced = choice.revDep === undefined ? FALSE : expressions.of(choice.revDep).on;
  const forcedToYes = choice.revDep === undefined ? FALSE : expressions.of(choice.revDep).y;
  cnf.clause(-on, seen.on, forced);
  cnf.clause(-forced, on, -filled);
  if (tristate) {
    cnf.clause(-y, on);
    cnf.clause(modules, -on, y);
    cnf.clause(-forced, on, -modules, forcedToYes);
    cnf.clause(-forcedToYes, y, -filled);
    cnf.clause(-y, -modules, seen.y, forcedToYes);
  }
  const ys = members.map((member) => lits.pairOf(member).y);
  cnf.clause(-y, ...ys);
  cnf.atMostOne(ys);
  for (const member of members) {
    const pair = lits.pairOf(member);
    cnf.clause(-pair.y, y);
    cnf.clause(-pair.y, chosenBy(member, expressions));
    if (member.type === "bool") continue;
    cnf.clause(-pair.y, pair.on);
    const atModule = tristate ? cnf.and(on, -y, visibilityOf(member, encoder, expressions).on) : FALSE;
    if (atModule !== TRUE) cnf.clause(-pair.on, pair.y, atModule);
  }
  return astrayOf(choice, members, encoder);
}
