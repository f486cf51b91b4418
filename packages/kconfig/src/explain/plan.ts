/** From a goal to settings that reach it: proposed by costs, tried on the engine, and thinned to what is needed. */
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import type { Incremental } from "../internal/incremental.ts";
import { Costs, fulfils, isUp } from "./costs.ts";
import type { Goal, Need } from "./costs.ts";

/** A value that a symbol is to be given. `assumed`: nobody can, so it is taken for granted. */
export interface Setting {
  readonly symbol: Sym;
  readonly value: string;
  readonly assumed: boolean;
}

const ROUNDS = 6;

/** Settings on trial: what they change is put back. */
class Trial {
  readonly #engine: LoadedTree;
  readonly #incremental: Incremental;
  #undo: (() => void)[] = [];

  constructor(engine: LoadedTree, incremental: Incremental) {
    this.#engine = engine;
    this.#incremental = incremental;
  }

  /** Puts back what was, then gives the settings. */
  apply(settings: readonly Setting[]): void {
    for (const undo of this.#undo.reverse()) undo();
    this.#undo = [];
    for (const { symbol, value, assumed } of settings) {
      this.#undo.push(this.#remember(symbol));
      if (assumed) {
        symbol.assumed = value === "y" ? 2 : value === "m" ? 1 : 0;
        this.#incremental.invalidate(symbol);
      } else this.#incremental.set(symbol, value);
    }
    this.#engine.evaluator.calc(this.#engine.modules);
  }

  #remember(symbol: Sym): () => void {
    // A choice has its members' values together.
    const { choice, choiceNode } = symbol;
    const together = choice === undefined ? [symbol] : [symbol, choice, ...choice.values];
    const before = together.map((one) => ({ one, user: one.user, userChosen: one.userChosen }));
    const order = [...(choiceNode?.members ?? [])];
    const { assumed } = symbol;
    return () => {
      for (const { one, user, userChosen } of before) {
        one.user = user;
        one.userChosen = userChosen;
      }
      symbol.assumed = assumed;
      choiceNode?.members.splice(0, order.length, ...order);
      this.#incremental.invalidate(symbol);
    };
  }
}

/**
 * The fewest settings found with which `reached` holds, none of which can be left out; undefined when there are none.
 * The engine's values are afterwards what they were.
 */
export function planFor(
  needs: readonly Need[],
  reached: () => boolean,
  engine: LoadedTree,
  incremental: Incremental,
): readonly Setting[] | undefined {
  const trial = new Trial(engine, incremental);
  const works = (settings: readonly Setting[]): boolean => {
    trial.apply(settings);
    return reached();
  };
  try {
    const settings: Setting[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (works(settings)) return thinned(settings, works);
      const more = propose(needs, engine);
      if (more === undefined) return undefined;
      const known = new Set(settings.map(({ symbol }) => symbol));
      const fresh = more.filter(({ symbol }) => !known.has(symbol));
      if (fresh.length === 0) return undefined;
      settings.unshift(...fresh);
    }
    return works(settings) ? thinned(settings, works) : undefined;
  } finally {
    trial.apply([]);
  }
}

// Leaves out one after the other for as long as it still works.
function thinned(
  settings: readonly Setting[],
  works: (settings: readonly Setting[]) => boolean,
): readonly Setting[] {
  let left = settings;
  for (let again = true; again;) {
    again = false;
    for (const one of left) {
      const without = left.filter((other) => other !== one);
      if (!works(without)) continue;
      left = without;
      again = true;
    }
  }
  return left;
}

/** The cheapest settings for needs in the state of this moment. */
function propose(needs: readonly Need[], engine: LoadedTree): readonly Setting[] | undefined {
  const costs = new Costs(engine);
  const settings = new Map<Sym, Setting>();
  const seen = new Set<string>();
  let possible = true;

  const take = (need: Need): void => {
    if (!("expr" in need)) {
      const way = costs.wayToValue(need.symbol, need.value);
      if (way === undefined) {
        possible = false;
        return;
      }
      for (const one of way.needs) take(one);
      settings.set(need.symbol, { symbol: need.symbol, value: need.value, assumed: false });
      return;
    }
    const { expr, goal } = need;
    if (fulfils(engine.evaluator.expr(expr), goal)) return;
    switch (expr.op) {
      case "symbol":
        takeSymbol(expr.left, goal);
        return;
      case "!":
        take({ expr: expr.left, goal: OPPOSITE[goal] });
        return;
      case "&&":
      case "||": {
        const both = (expr.op === "&&") === isUp(goal);
        const left: Need = { expr: expr.left, goal };
        const right: Need = { expr: expr.right, goal };
        if (both) {
          take(left);
          take(right);
        } else take(costs.ofExpr(expr.left, goal) <= costs.ofExpr(expr.right, goal) ? left : right);
        return;
      }
      default: {
        const one = costs.comparison(expr, goal);
        if (one === undefined) possible = false;
        else take(one);
      }
    }
  };

  const takeSymbol = (symbol: Sym, goal: Goal): void => {
    const key = `${symbol.id} ${goal}`;
    if (seen.has(key)) return;
    seen.add(key);
    if (fulfils(symbol.tri, goal)) return;
    const way = costs.wayOf(symbol, goal);
    if (way === undefined) {
      possible = false;
      return;
    }
    if (way.kind === "assume") {
      settings.set(symbol, { symbol, value: way.value, assumed: true });
      return;
    }
    for (const need of way.needs) take(need);
    if (way.kind === "follow") return;
    // Going down in a choice means that another member goes up.
    const other = isUp(goal) || isLetter(way.value) ? undefined : engine.table.find(way.value);
    if (other !== undefined) settings.set(other, { symbol: other, value: "y", assumed: false });
    else if (isLogic(symbol.type)) settings.set(symbol, { symbol, value: way.value, assumed: false });
  };

  for (const need of needs) take(need);
  return possible && settings.size > 0 ? [...settings.values()] : undefined;
}

function isLetter(value: string): boolean {
  return value === "y" || value === "m" || value === "n";
}

const OPPOSITE: Readonly<Record<Goal, Goal>> = { "m+": "m-", "y+": "n-", "n-": "y+", "m-": "m+" };
