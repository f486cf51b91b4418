/**
 * What it would take to change values: for each symbol the least number of settings that brings it up to m or y, or
 * down to m or n, seen from the values of this moment. Conditions are weighed as if they were independent, so the
 * result is a proposal that has to be tried.
 */
import { symbolsOf } from "../engine/expr.ts";
import type { Expr } from "../engine/expr.ts";
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Property, Sym, Tristate } from "../engine/model.ts";
import { compareValues, holds, isValidText } from "../engine/text-value.ts";

/** At least m, at least y, at most n, at most m. */
export type Goal = "m+" | "y+" | "n-" | "m-";

/** A step towards a goal. */
export type Way =
  | { readonly kind: "set"; readonly value: string; readonly needs: readonly Need[] }
  /** Something else makes it so: a select, an imply or a default. */
  | {
      readonly kind: "follow";
      readonly by: "select" | "imply" | "default" | "none";
      readonly needs: readonly Need[];
    }
  /** Nothing here can make it so; it has to be taken for granted. */
  | { readonly kind: "assume"; readonly value: string };

export type Need =
  | { readonly expr: Expr; readonly goal: Goal }
  | { readonly symbol: Sym; readonly value: string };

const GOALS: readonly Goal[] = ["m+", "y+", "n-", "m-"];
// More than any number of settings, so that what is in anybody's power comes first.
const ASSUMPTION = 1000;

export class Costs {
  readonly #engine: LoadedTree;
  readonly #costs: Record<Goal, Float64Array>;
  readonly #ways: Record<Goal, Map<Sym, Way>>;
  readonly #symbols: readonly Sym[];

  constructor(engine: LoadedTree) {
    this.#engine = engine;
    const { evaluator, table } = engine;
    this.#symbols = [...table.named(), ...engine.symbols.filter((symbol) => symbol.isChoice)];
    const size = Math.max(...engine.symbols.map((symbol) => symbol.id), 2) + 1;
    const make = (): Float64Array => new Float64Array(size).fill(Number.POSITIVE_INFINITY);
    this.#costs = { "m+": make(), "y+": make(), "n-": make(), "m-": make() };
    this.#ways = { "m+": new Map(), "y+": new Map(), "n-": new Map(), "m-": new Map() };
    for (const symbol of engine.symbols) evaluator.calc(symbol);
    for (const symbol of [...engine.symbols, table.yes, table.mod, table.no]) {
      for (const goal of GOALS) if (fulfils(symbol.tri, goal)) this.#costs[goal][symbol.id] = 0;
    }
    this.#relax();
  }

  /** How many settings a goal takes; infinite when there is no way. */
  ofSymbol(symbol: Sym, goal: Goal): number {
    return this.#costs[goal][symbol.id] as number;
  }

  wayOf(symbol: Sym, goal: Goal): Way | undefined {
    return this.#ways[goal].get(symbol);
  }

  ofExpr(expr: Expr | undefined, goal: Goal): number {
    if (expr === undefined) return goal === "m+" || goal === "y+" ? 0 : Number.POSITIVE_INFINITY;
    if (fulfils(this.#engine.evaluator.expr(expr), goal)) return 0;
    switch (expr.op) {
      case "symbol":
        return this.ofSymbol(expr.left, goal);
      case "!":
        return this.ofExpr(expr.left, OPPOSITE[goal]);
      case "&&":
      case "||": {
        const left = this.ofExpr(expr.left, goal);
        const right = this.ofExpr(expr.right, goal);
        return (expr.op === "&&") === isUp(goal) ? left + right : Math.min(left, right);
      }
      default: {
        const needs = this.comparison(expr, goal);
        return needs === undefined ? Number.POSITIVE_INFINITY : this.#sum([needs]);
      }
    }
  }

  /** What makes a comparison hold or fail, if anything simple does. */
  comparison(expr: Expr, goal: Goal): Need | undefined {
    if (
      expr.op === "symbol" ||
      expr.op === "!" ||
      expr.op === "&&" ||
      expr.op === "||" ||
      expr.op === "range"
    ) {
      return undefined;
    }
    const { table, pool, evaluator } = this.#engine;
    const { left, right } = expr;
    const op = isUp(goal) ? expr.op : NEGATION[expr.op];
    if (isLogic(left.type) && [table.yes, table.mod, table.no].includes(right)) {
      const alone = pool.symbol(left);
      const value = right.tri;
      if (op === "=") {
        if (value === 2) return { expr: alone, goal: "y+" };
        if (value === 0) return { expr: alone, goal: "n-" };
        return left.type === "bool" ? undefined : { symbol: left, value: "m" };
      }
      if (op === "!=") {
        if (value === 0) return { expr: alone, goal: "m+" };
        if (value === 2) return { expr: alone, goal: "m-" };
        const down = this.ofSymbol(left, "n-") <= this.ofSymbol(left, "y+");
        return { expr: alone, goal: down ? "n-" : "y+" };
      }
      return undefined;
    }
    // A number or string is set to what the other side is, or to the next one.
    for (const [one, other, swapped] of [
      [left, right, false],
      [right, left, true],
    ] as const) {
      if (isLogic(one.type) || one.type === "unknown" || one.menus.length === 0) continue;
      for (const value of candidates(evaluator.text(other), one)) {
        const sides = [
          { text: value, type: one.type },
          { text: evaluator.text(other), type: other.type },
        ] as const;
        const order = swapped ? compareValues(sides[1], sides[0]) : compareValues(sides[0], sides[1]);
        if (holds(op, order)) return { symbol: one, value };
      }
    }
    return undefined;
  }

  // Bellman-Ford over all symbols, again and again until nothing gets cheaper.
  #relax(): void {
    const dependents = dependentsIn(this.#engine, this.#symbols);
    let queue = new Set(this.#symbols);
    for (let round = 0; queue.size > 0 && round < 60; round++) {
      const next = new Set<Sym>();
      for (const symbol of queue) {
        if (!this.#improve(symbol)) continue;
        for (const dependent of dependents.get(symbol) ?? []) next.add(dependent);
      }
      queue = next;
    }
  }

  #improve(symbol: Sym): boolean {
    let better = false;
    for (const goal of GOALS) {
      const costs = this.#costs[goal];
      const old = costs[symbol.id] as number;
      if (old === 0) continue;
      for (const way of this.#waysTo(symbol, goal)) {
        const cost = way.kind === "assume" ? ASSUMPTION : this.#sum(way.needs) + (way.kind === "set" ? 1 : 0);
        if (cost >= (costs[symbol.id] as number)) continue;
        costs[symbol.id] = cost;
        this.#ways[goal].set(symbol, way);
        better = true;
      }
    }
    return better;
  }

  #sum(needs: readonly Need[]): number {
    let sum = 0;
    for (const need of needs)
      sum += "expr" in need ? this.ofExpr(need.expr, need.goal) : this.costOfValue(need);
    return sum;
  }

  /** What it takes to give a symbol an exact value. */
  costOfValue({ symbol, value }: { readonly symbol: Sym; readonly value: string }): number {
    const way = this.wayToValue(symbol, value);
    return way === undefined ? Number.POSITIVE_INFINITY : this.#sum(way.needs) + 1;
  }

  wayToValue(symbol: Sym, value: string): (Way & { readonly kind: "set" }) | undefined {
    const goal = value === "m" && isLogic(symbol.type) ? "m+" : "y+";
    const prompt = this.#cheapestPrompt(symbol, isLogic(symbol.type) ? goal : "m+");
    return prompt === undefined ? undefined : { kind: "set", value, needs: prompt };
  }

  *#waysTo(symbol: Sym, goal: Goal): Generator<Way> {
    if (!isLogic(symbol.type)) {
      // A symbol that no file defines: only assuming it helps.
      if (symbol.type === "unknown" && isUp(goal)) yield { kind: "assume", value: "y" };
      return;
    }
    if (isUp(goal)) yield* this.#waysUp(symbol, goal);
    else yield* this.#waysDown(symbol, goal);
  }

  *#waysUp(symbol: Sym, goal: Goal): Generator<Way> {
    const need = this.#strength(symbol, goal);
    const value = goal === "m+" && this.#engine.evaluator.typeOf(symbol) === "tristate" ? "m" : "y";
    const prompt = this.#cheapestPrompt(symbol, need);
    if (prompt !== undefined && !symbol.isChoice) yield { kind: "set", value, needs: prompt };
    if (symbol.revDep !== undefined) {
      yield { kind: "follow", by: "select", needs: [{ expr: symbol.revDep, goal: need }] };
    }
    // A value that the user gave stands above defaults.
    if (!symbol.user.has || symbol.visible === 0) {
      for (const property of symbol.props) {
        if (property.kind !== "default" || property.expr === undefined) continue;
        const needs: Need[] = [{ expr: property.expr, goal: need }];
        if (property.condition !== undefined) needs.push({ expr: property.condition, goal: need });
        yield { kind: "follow", by: "default", needs };
      }
      if (symbol.implied !== undefined) {
        const needs: Need[] = [{ expr: symbol.implied, goal: need }];
        if (symbol.dirDep !== undefined) needs.push({ expr: symbol.dirDep, goal: need });
        yield { kind: "follow", by: "imply", needs };
      }
    }
    yield { kind: "assume", value };
  }

  *#waysDown(symbol: Sym, wanted: Goal): Generator<Way> {
    // What cannot be m is n when it is at most m.
    const goal = this.#engine.evaluator.typeOf(symbol) === "bool" ? "n-" : wanted;
    const released: Need[] = symbol.revDep === undefined ? [] : [{ expr: symbol.revDep, goal }];
    if (symbol.isMember) {
      // Another member of its choice takes its place.
      const node = symbol.choiceNode;
      const others = node === undefined ? (symbol.choice?.values ?? []) : node.members;
      for (const other of others) {
        if (other === symbol || other.visible === 0) continue;
        yield { kind: "set", value: other.name ?? "", needs: [] };
      }
      return;
    }
    if (symbol.visible !== 0) yield { kind: "set", value: goal === "n-" ? "n" : "m", needs: released };
    const needs = [...released];
    if (symbol.implied !== undefined) needs.push({ expr: symbol.implied, goal });
    for (const property of symbol.props) {
      if (property.kind !== "default" || property.expr === undefined) continue;
      const both = this.#engine.pool.and(property.expr, property.condition);
      if (both !== undefined) needs.push({ expr: both, goal });
    }
    if (symbol.visible === 0 || !symbol.user.has) yield { kind: "follow", by: "none", needs };
    yield { kind: "assume", value: goal === "n-" ? "n" : "m" };
  }

  #cheapestPrompt(symbol: Sym, goal: Goal): readonly Need[] | undefined {
    let best: readonly Need[] | undefined;
    let cost = Number.POSITIVE_INFINITY;
    for (const property of symbol.props) {
      if (property.text === undefined) continue;
      const { condition: expr } = property;
      const needs: readonly Need[] = expr === undefined ? [] : [{ expr, goal }];
      const sum = this.#sum(needs);
      if (best !== undefined && sum >= cost) continue;
      best = needs;
      cost = sum;
    }
    return best;
  }

  // A bool needs no more than m of what it depends on.
  #strength(symbol: Sym, goal: Goal): Goal {
    return goal === "y+" && this.#engine.evaluator.typeOf(symbol) === "bool" ? "m+" : goal;
  }
}

const DEPENDENTS = new WeakMap<LoadedTree, ReadonlyMap<Sym, ReadonlySet<Sym>>>();

function dependentsIn(engine: LoadedTree, symbols: readonly Sym[]): ReadonlyMap<Sym, ReadonlySet<Sym>> {
  const known = DEPENDENTS.get(engine);
  if (known !== undefined) return known;
  const dependents = new Map<Sym, Set<Sym>>();
  for (const symbol of symbols) {
    for (const expr of conditionsOf(symbol)) {
      for (const named of symbolsOf(expr)) {
        let set = dependents.get(named);
        if (set === undefined) dependents.set(named, (set = new Set()));
        set.add(symbol);
      }
    }
  }
  DEPENDENTS.set(engine, dependents);
  return dependents;
}

const OPPOSITE: Readonly<Record<Goal, Goal>> = { "m+": "m-", "y+": "n-", "n-": "y+", "m-": "m+" };
const NEGATION = { "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">" } as const;

export function isUp(goal: Goal): boolean {
  return goal === "m+" || goal === "y+";
}

export function fulfils(value: Tristate, goal: Goal): boolean {
  switch (goal) {
    case "m+":
      return value >= 1;
    case "y+":
      return value === 2;
    case "n-":
      return value === 0;
    default:
      return value <= 1;
  }
}

function candidates(value: string, symbol: Sym): readonly string[] {
  if (symbol.type === "string") return [value, `${value}x`, ""];
  const number = Number(value);
  if (!Number.isSafeInteger(number)) return [];
  const write = (n: number): string => (symbol.type === "hex" ? `0x${n.toString(16)}` : String(n));
  return [number, number + 1, number - 1]
    .filter((n) => symbol.type === "int" || n >= 0)
    .map(write)
    .filter((text) => isValidText(symbol.type, text));
}

/** All that decides about a symbol. */
export function* conditionsOf(symbol: Sym): Generator<Expr | undefined> {
  yield symbol.dirDep;
  yield symbol.revDep;
  yield symbol.implied;
  for (const property of symbol.props as readonly Property[]) {
    yield property.condition;
    if (property.kind === "default") yield property.expr;
  }
}
