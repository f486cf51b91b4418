/** The symbols of a generated tree, planned before anything is written, so that references mostly fit. */
import type { Random } from "./random.ts";

export type Generation = 1 | 2 | 3;
export type Type = "bool" | "tristate" | "int" | "hex" | "string";

export interface Planned {
  readonly name: string;
  readonly index: number;
  readonly type: Type;
  /** Some definition of it may say another type; which one counts, the tree decides. */
  readonly mixed: boolean;
}

export interface Plan {
  readonly generation: Generation;
  readonly random: Random;
  readonly symbols: readonly Planned[];
  /** References go both ways, so that there are recursive dependencies. */
  readonly cyclic: boolean;
  /** References to symbols of any type stand anywhere. */
  readonly careless: boolean;
  /** Macros of the tree, as names of variables. */
  readonly variables: string[];
  /** Those of them whose value is final. */
  readonly simple: Set<string>;
}

const NAMES = "A B C D E F G H I J K L".split(" ");
const LONG = ["FOO_BAR", "lower", "X86_64", "64BIT", "a-b"];

export function planSymbols(random: Random, generation: Generation): Plan {
  const count = random.from(2, random.chance(30) ? 12 : 7);
  const symbols: Planned[] = [];
  for (let index = 0; index < count; index++) {
    const name = random.chance(4)
      ? `${random.pick(LONG)}${index > 0 ? index : ""}`
      : (NAMES[index] as string);
    // Neighbours are often alike, so that there are members for choices.
    const before = random.chance(40) ? symbols.at(-1)?.type : undefined;
    const type = before ?? random.weighted<Type>({ bool: 9, tristate: 8, int: 3, hex: 2, string: 2 });
    symbols.push({ name, index, type, mixed: random.chance(3) });
  }
  if (random.chance(60)) {
    symbols.unshift({
      name: "MODULES",
      index: -1,
      type: random.chance(95) ? "bool" : "tristate",
      mixed: false,
    });
  }
  return {
    generation,
    random,
    symbols,
    cyclic: random.chance(8),
    careless: random.chance(10),
    variables: [],
    simple: new Set(),
  };
}

export function isLogic(symbol: Planned): boolean {
  return symbol.type === "bool" || symbol.type === "tristate";
}

/** A symbol that `user` may refer to: one of those before it, or any in a careless tree. */
export function earlier(
  plan: Plan,
  user: Planned | undefined,
  fits: (symbol: Planned) => boolean,
): Planned | undefined {
  const free = plan.cyclic || user === undefined;
  const all = plan.symbols.filter(
    (symbol) => (free || symbol.index < user.index) && (plan.careless || fits(symbol)),
  );
  // What depends on its neighbour becomes its submenu.
  const last = all.at(-1);
  if (last !== undefined && plan.random.chance(35)) return last;
  return all.length === 0 ? undefined : plan.random.pick(all);
}

export function later(plan: Plan, user: Planned): Planned | undefined {
  const all = plan.symbols.filter(
    (symbol) => (plan.cyclic || symbol.index > user.index) && (plan.careless || isLogic(symbol)),
  );
  return all.length === 0 ? undefined : plan.random.pick(all);
}
