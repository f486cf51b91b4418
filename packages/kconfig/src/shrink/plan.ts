/** What a search for a smaller configuration asks for next, and what it makes of the answer. */
import { parseConfig } from "../config.ts";
import { requestsOf } from "../fragment.ts";
import type { ConfigRequest } from "../fragment.ts";
import { solve } from "../solve/solve.ts";
import { valueOf } from "../value.ts";
import { candidatesOf, optionsOn } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import type { ShrinkOptions, ShrinkStep, Verdict } from "./shrink.ts";
import type { ShrinkState } from "./state.ts";

/** Where a search is. Never changed, so that what comes after either answer can be looked at before there is one. */
export interface Position {
  readonly state: ShrinkState;
  /** Groups to be turned off, the next one first; when there is none, one is chosen. */
  readonly todo: readonly (readonly string[])[];
  /** Without these nothing smaller can be proposed, as things are. */
  readonly stuck: ReadonlySet<string>;
}

/** A configuration that the test is asked about. */
export interface Question {
  readonly at: Position;
  readonly text: string;
  readonly step: ShrinkStep;
}

const CHANCE = 0.2;

// What a group has to have to be tried together: an even chance.
const EVEN = 0.5;

// Turning an option on that was off is avoided like turning off that many others.
const AVERSION = 20;

/** The search, but for the tests. */
export class Plan {
  readonly #options: ShrinkOptions;
  #candidates: { readonly text: string; readonly all: readonly Candidate[] } | undefined;
  // Of one text.
  readonly #proposals = new Map<string, Pick<Question, "text" | "step"> | undefined>();

  constructor(options: ShrinkOptions) {
    this.#options = options;
  }

  begin(state: ShrinkState): Position {
    return { state, todo: [], stuck: new Set() };
  }

  /** Undefined when nothing is left to be tried. Not to be called again before it is done: there is one tree. */
  async next(at: Position): Promise<Question | undefined> {
    const { state } = at;
    const on = new Set(optionsOn(state.text));
    const todo: (readonly string[])[] = at.todo.map((group) => group.filter((symbol) => on.has(symbol)));
    const stuck = new Set(at.stuck);
    for (;;) {
      const group = todo.shift() ?? this.#chooseGroup(state, stuck) ?? neededBefore(state, stuck);
      if (group === undefined) return undefined;
      const proposal = group.length === 0 ? undefined : await this.#propose(state, group);
      if (proposal !== undefined) return { at: { state, todo, stuck }, ...proposal };
      if (group.length > 1) todo.unshift(...halves(group));
      else for (const symbol of group) stuck.add(symbol);
    }
  }

  /** Where an answer leads to. */
  after({ at, text, step }: Question, verdict: Verdict): Position {
    const { off, goes } = step;
    const state = { ...at.state, tests: at.state.tests + 1 };
    if (verdict.ok)
      return { state: this.#without(state, { text, off, goes }), todo: at.todo, stuck: new Set() };
    if (off.length > 1) return { ...at, state, todo: [...halves(off), ...at.todo] };
    return { ...at, state: off.reduce((kept, symbol) => this.#kept(kept, symbol, verdict.why), state) };
  }

  /** How likely a question is answered with yes. */
  odds({ at, step }: Question): number {
    const needed = new Set(at.state.needed.map(({ symbol }) => symbol));
    const of = (symbol: string): number => (needed.has(symbol) ? 0.95 : this.#chance(at.state, [symbol]));
    return step.off.reduce((luck, symbol) => luck * (1 - of(symbol)), 1);
  }

  /** What was not tried at a position at which the search ended. */
  async untried({ state, stuck }: Position): Promise<readonly string[]> {
    const untried = this.#open(state, stuck).map(({ symbol }) => symbol);
    for (const { symbol, step } of state.needed) {
      if (step === state.step) continue;
      if ((await this.#propose(state, [symbol])) !== undefined) untried.push(symbol);
    }
    return untried;
  }

  // The most that can go together with an even chance: what is least likely needed, and of that the biggest first.
  #chooseGroup(state: ShrinkState, stuck: ReadonlySet<string>): readonly string[] | undefined {
    const { saved = (symbols) => symbols.length } = this.#options;
    const open = this.#open(state, stuck).map((one) => ({
      ...one,
      chance: this.#chance(state, one.goes),
      bytes: saved(one.goes),
    }));
    // Of what is likely needed the smallest: when it is, all that it depends on is too.
    const size = ({ chance, goes, bytes }: (typeof open)[number]): number =>
      chance < EVEN ? -bytes : goes.length;
    open.sort((a, b) => a.chance - b.chance || size(a) - size(b) || (a.symbol < b.symbol ? -1 : 1));
    const group: string[] = [];
    const gone = new Set<string>();
    let luck = 1;
    for (const { symbol, goes, chance } of open) {
      if (gone.has(symbol)) continue;
      luck *= 1 - chance;
      if (group.length > 0 && luck < EVEN) break;
      group.push(symbol);
      for (const one of goes) gone.add(one);
    }
    return group.length === 0 ? undefined : group;
  }

  // What may be turned off without turning off what is to stay.
  #open({ text, needed }: ShrinkState, stuck: ReadonlySet<string>): readonly Candidate[] {
    const { tree, required } = this.#options;
    const stay = new Set(needed.map(({ symbol }) => symbol));
    for (const { symbol, value } of required) if (value.text !== "n") stay.add(symbol);
    if (this.#candidates?.text !== text) this.#candidates = { text, all: candidatesOf(tree, text) };
    return this.#candidates.all.filter(
      ({ symbol, goes }) => !stuck.has(symbol) && !goes.some((one) => stay.has(one)),
    );
  }

  // Options that go together are as likely needed as the likeliest of them, and all as much more as was seen so far.
  #chance({ needed, expected }: ShrinkState, symbols: readonly string[]): number {
    const { chance = () => CHANCE } = this.#options;
    const likeliest = Math.max(...symbols.map((symbol) => chance(symbol)));
    const odds = (likeliest * (needed.length + 1)) / (expected + 1);
    return Math.min(Math.max(odds, 0.01), 0.95);
  }

  // A configuration without some options, with all that is required or known to be needed otherwise; undefined when there is
  // none, or none that is smaller.
  async #propose(
    { text, needed }: ShrinkState,
    off: readonly string[],
  ): Promise<Pick<Question, "text" | "step"> | undefined> {
    const stay = needed.map(({ symbol }) => symbol).filter((symbol) => !off.includes(symbol));
    const key = JSON.stringify([text, [...stay].sort(), off]);
    if (!this.#proposals.has(key)) {
      if (this.#proposals.size >= REMEMBERED) this.#proposals.clear();
      this.#proposals.set(key, await this.#solve(text, stay, off));
    }
    return this.#proposals.get(key);
  }

  async #solve(
    text: string,
    needed: readonly string[],
    off: readonly string[],
  ): Promise<Pick<Question, "text" | "step"> | undefined> {
    const { tree, required } = this.#options;
    const before = parseConfig(text);
    const on = optionsOn(text);
    const wasOn = new Set(on);
    const stay = needed.flatMap((symbol): ConfigRequest[] => {
      const value = before.values.get(symbol);
      return value === undefined ? [] : [{ symbol, value, origin: "the test", conditions: new Map() }];
    });
    const go = requestsOf(Object.fromEntries(off.map((symbol) => [symbol, valueOf("n")])), "the search");
    const solved = await solve(tree, [...required, ...stay, ...go], {
      base: { text },
      weights: (symbol) => (wasOn.has(symbol) ? 1 : AVERSION),
    });
    if (solved.kind === "unsolvable") return undefined;
    const left = optionsOn(solved.text);
    if (left.length >= on.length) return undefined;
    const stays = new Set(left);
    const goes = on.filter((symbol) => !stays.has(symbol));
    return { text: solved.text, step: { off, goes, options: left.length } };
  }

  #without(
    state: ShrinkState,
    gone: { readonly text: string; readonly off: readonly string[]; readonly goes: readonly string[] },
  ): ShrinkState {
    const { text, off, goes } = gone;
    const step = state.step + 1;
    return {
      ...state,
      text,
      step,
      needed: state.needed.filter(({ symbol }) => !goes.includes(symbol)),
      removed: [...state.removed, ...goes.map((symbol) => ({ symbol, step }))],
      expected: state.expected + this.#expectation(off),
    };
  }

  #kept(state: ShrinkState, symbol: string, why: string): ShrinkState {
    const { needed, step, expected } = state;
    const others = needed.filter((one) => one.symbol !== symbol);
    const isNew = others.length === needed.length;
    return {
      ...state,
      needed: [...others, { symbol, why, step }],
      expected: isNew ? expected + this.#expectation([symbol]) : expected,
    };
  }

  #expectation(symbols: readonly string[]): number {
    const { chance = () => CHANCE } = this.#options;
    return symbols.reduce((sum, symbol) => sum + chance(symbol), 0);
  }
}

// Each takes the text of a configuration.
const REMEMBERED = 64;

// What was needed is tried again when something was turned off after all: what it held may be gone.
function neededBefore(state: ShrinkState, stuck: ReadonlySet<string>): readonly string[] | undefined {
  const again = state.needed.find(({ symbol, step }) => step !== state.step && !stuck.has(symbol));
  return again && [again.symbol];
}

// The second half is often known to fail when all of the first is gone: the test is asked for the same again.
function halves(group: readonly string[]): readonly (readonly string[])[] {
  const middle = Math.ceil(group.length / 2);
  return [group.slice(0, middle), group.slice(middle)];
}
