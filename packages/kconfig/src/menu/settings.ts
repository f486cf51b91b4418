/** What the user gave, step by step: a list that only grows at its end, so that any earlier step can be gone back to. */
import type { LoadedTree } from "../engine/load.ts";
import { menusBelow } from "../engine/model.ts";
import type { GivenValue, Menu, Sym } from "../engine/model.ts";
import type { Incremental } from "../internal/incremental.ts";

/** What a symbol was given; `chosen` is the member of a choice (generation 1). */
export interface Given {
  readonly user: GivenValue;
  readonly chosen: Sym | undefined;
}

export interface GivenChange {
  readonly symbol: Sym;
  readonly before: Given;
  readonly after: Given;
}

/** The members of a choice, those with priority first (generation 2 on). */
interface OrderChange {
  readonly choice: Menu;
  readonly before: readonly Sym[];
  readonly after: readonly Sym[];
}

/** One step after another. The first has no previous one and changes nothing: it is what was loaded. */
export interface Settings {
  readonly previous: Settings | undefined;
  readonly depth: number;
  /** What was done, for a message. */
  readonly label: string;
  readonly changes: readonly GivenChange[];
  readonly orders: readonly OrderChange[];
  /** What the choices have (generation 1): it is the user's, until working out their values makes it new again. */
  readonly choices: readonly GivenValue[];
}

interface Capture {
  readonly given: readonly Given[];
  readonly orders: readonly (readonly Sym[])[];
}

// From so many changes on all is worked out anew, which then is quicker than to look for what follows from each.
const MANY = 60;

/** Keeps an engine at the settings that are asked for. */
export class Journal {
  readonly loaded: Settings;
  readonly #engine: LoadedTree;
  readonly #incremental: Incremental;
  readonly #choices: readonly Menu[];
  readonly #choiceSymbols: readonly Sym[];
  #at: Settings;

  constructor(engine: LoadedTree, incremental: Incremental) {
    this.#engine = engine;
    this.#incremental = incremental;
    this.#choices = [...menusBelow(engine.root)].filter(({ kind }) => kind === "choice");
    const asSymbols = engine.dialect.choice === "symbol";
    this.#choiceSymbols = asSymbols ? engine.symbols.filter(({ isChoice }) => isChoice) : [];
    this.loaded = {
      previous: undefined,
      depth: 0,
      label: "",
      changes: [],
      orders: [],
      choices: this.#settleChoices(),
    };
    this.#at = this.loaded;
  }

  /** Gives the engine the values of these settings. */
  goTo(settings: Settings): void {
    if (settings === this.#at) return;
    const forth: Settings[] = [];
    let from = this.#at;
    let to = settings;
    const changes: GivenChange[] = [];
    const orders: OrderChange[] = [];
    const undo = (step: Settings): void => {
      changes.push(...step.changes.map((one) => ({ ...one, before: one.after, after: one.before })));
      orders.push(...step.orders.map((one) => ({ ...one, after: one.before })));
    };
    while (from !== to) {
      if (to.depth >= from.depth && to.previous !== undefined) {
        forth.push(to);
        to = to.previous;
      } else if (from.previous !== undefined) {
        undo(from);
        from = from.previous;
      } else break;
    }
    for (const step of forth.reverse()) {
      changes.push(...step.changes);
      orders.push(...step.orders);
    }
    this.#apply(changes, orders);
    for (const [index, symbol] of this.#choiceSymbols.entries()) {
      const user = settings.choices[index];
      if (user === undefined || sameValue(user, symbol.user)) continue;
      symbol.user = user;
      this.#incremental.invalidate(symbol);
    }
    this.#at = settings;
  }

  /**
   * Does something to what the user gave, as the next step; the same settings when nothing came of it, and as if nothing had
   * been done when it fails.
   */
  record(label: string, change: () => void): Settings {
    this.#settleChoices();
    const before = this.#capture();
    try {
      change();
    } catch (error) {
      this.#restore(before);
      throw error;
    }
    const choices = this.#settleChoices();
    const { changes, orders } = this.#since(before);
    if (changes.length === 0 && orders.length === 0) return this.#at;
    const previous = this.#at;
    this.#at = { previous, depth: previous.depth + 1, label, changes, orders, choices };
    return this.#at;
  }

  // A choice's value becomes new again while it is worked out, when a member comes to be seen that is new, and counts for that
  // the next time: until then it is not what it will be.
  #settleChoices(): readonly GivenValue[] {
    const { evaluator } = this.#engine;
    for (let again = true; again;) {
      again = false;
      for (const symbol of this.#choiceSymbols) {
        const { has } = symbol.user;
        evaluator.calc(symbol);
        if (symbol.user.has === has) continue;
        this.#incremental.invalidate(symbol);
        again = true;
      }
    }
    return this.#choiceSymbols.map(({ user }) => user);
  }

  /** Lets something use the engine, and puts back what the user gave. */
  async lend<T>(use: () => Promise<T>): Promise<T> {
    const before = this.#capture();
    try {
      return await use();
    } finally {
      this.#restore(before);
    }
  }

  /** The same for what is done at once. Up to Linux 6.8 looking at a menu can make its symbols the user's. */
  borrow<T>(use: () => T): T {
    const before = this.#capture();
    try {
      return use();
    } finally {
      this.#restore(before);
    }
  }

  #restore(before: Capture): void {
    const { changes, orders } = this.#since(before);
    this.#apply(
      changes.map((one) => ({ ...one, after: one.before })),
      orders.map((one) => ({ ...one, after: one.before })),
    );
  }

  #apply(changes: readonly GivenChange[], orders: readonly OrderChange[]): void {
    for (const { symbol, after } of changes) {
      symbol.user = after.user;
      symbol.userChosen = after.chosen;
    }
    for (const { choice, after } of orders) choice.members.splice(0, after.length, ...after);
    const touched = new Set([
      ...changes.map(({ symbol }) => symbol),
      ...orders.flatMap(({ choice }) => choice.members),
    ]);
    if (touched.size > MANY) this.refresh();
    else for (const symbol of touched) this.#incremental.invalidate(symbol);
  }

  /** Has all values worked out anew. */
  refresh(): void {
    const { evaluator, modules } = this.#engine;
    evaluator.forget();
    evaluator.calc(modules);
  }

  #capture(): Capture {
    return {
      given: this.#engine.symbols.map(({ user, userChosen }) => ({ user, chosen: userChosen })),
      orders: this.#choices.map(({ members }) => [...members]),
    };
  }

  #since(before: Capture): Pick<Settings, "changes" | "orders"> {
    const changes: GivenChange[] = [];
    for (const [index, symbol] of this.#engine.symbols.entries()) {
      const known = before.given[index];
      if (known === undefined || sameGiven(known, { user: symbol.user, chosen: symbol.userChosen })) continue;
      changes.push({ symbol, before: known, after: { user: symbol.user, chosen: symbol.userChosen } });
    }
    const orders: OrderChange[] = [];
    for (const [index, choice] of this.#choices.entries()) {
      const known = before.orders[index] ?? [];
      if (choice.members.every((member, at) => member === known[at])) continue;
      orders.push({ choice, before: known, after: [...choice.members] });
    }
    return { changes, orders };
  }
}

/** Whether two are the same for all that follows from them. */
export function sameGiven(a: Given, b: Given): boolean {
  return a.chosen === b.chosen && sameValue(a.user, b.user);
}

function sameValue(a: GivenValue, b: GivenValue): boolean {
  return a.has === b.has && a.tri === b.tri && a.text === b.text;
}

/** All symbols that were touched since the settings were loaded. */
export function touchedSince(settings: Settings): ReadonlySet<Sym> {
  const touched = new Set<Sym>();
  for (let at: Settings | undefined = settings; at !== undefined; at = at.previous) {
    for (const { symbol } of at.changes) touched.add(symbol);
    for (const { choice } of at.orders) for (const member of choice.members) touched.add(member);
  }
  return touched;
}
