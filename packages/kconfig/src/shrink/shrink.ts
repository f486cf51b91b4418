/** A smaller configuration that still passes a test. */
import { parseConfig } from "../config.ts";
import { requestsOf } from "../fragment.ts";
import type { ConfigRequest } from "../fragment.ts";
import { solve } from "../solve/solve.ts";
import type { KconfigTree } from "../tree.ts";
import { valueOf } from "../value.ts";
import { candidatesOf, optionsOn } from "./candidates.ts";
import type { Candidate } from "./candidates.ts";
import type { ShrinkState } from "./state.ts";

/** What a test says of a configuration. */
export type Verdict = { readonly ok: true } | { readonly ok: false; readonly why: string };

/** What is asked of {@link shrink}. */
export interface ShrinkOptions {
  readonly tree: KconfigTree;
  /** A complete configuration that passes the test, or the state in which an earlier search was left. */
  readonly from: string | ShrinkState;
  /** Holds in all that is tried, whatever the test says. */
  readonly required: readonly ConfigRequest[];
  /** Builds it, boots it, asks it: whatever decides. The same configuration may be asked for again. */
  readonly test: (text: string, step: ShrinkStep) => Promise<Verdict>;
  /** What is saved when options go together, in bytes say: big ones are tried first. Default: their number. */
  readonly saved?: ((symbols: readonly string[]) => number) | undefined;
  /** How likely an option is needed, between 0 and 1, before anything is known. Default: 0.2. */
  readonly chance?: ((symbol: string) => number) | undefined;
  /** Is told each time something is decided, and waited for. */
  readonly onState?: ((state: ShrinkState) => void | Promise<void>) | undefined;
  /** Whether the test of this configuration may be begun; one that is known already costs nothing. Default: always. */
  readonly mayTest?: ((text: string) => boolean) | undefined;
}

/** What is being tried. */
export interface ShrinkStep {
  /** Options that are to be turned off. */
  readonly off: readonly string[];
  /** All that goes with them. */
  readonly goes: readonly string[];
  readonly options: number;
}

/** What was found. */
export interface Shrunk {
  readonly state: ShrinkState;
  /**
   * Options of which is not known whether they are needed: the budget ended first. Without any, the configuration is
   * one-minimal: each option that may be turned off was, alone, and the test failed; or what is required or was missed would
   * go with it, or no fewer options would be on.
   */
  readonly untried: readonly string[];
}

/**
 * Turns off what a test does not miss. Several options go at once, as many as have an even chance to be all unneeded; when
 * the test fails they are halved until those that are needed are alone (Zeller and Hildebrandt, Simplifying and Isolating
 * Failure-Inducing Input, TSE 2002, with odds instead of equal parts). Only valid configurations are tried: the solver
 * makes them, as near to the last good one as can be. In the end each option that stays is tried alone once more.
 *
 * @throws KconfigError as solve() does, and what `test` throws.
 * @example
 * ```ts
 * import { loadKconfig, shrink } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n\nconfig USB\n\tbool "USB"\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * const { state } = await shrink({
 *   tree,
 *   from: "CONFIG_NET=y\nCONFIG_TCP=y\nCONFIG_USB=y\n",
 *   required: [],
 *   test: async (config) => (config.includes("TCP=y") ? { ok: true } : { ok: false, why: "no answer" }),
 * });
 * console.log(state.removed.map(({ symbol }) => symbol), state.needed); // [ "USB" ] [ { symbol: "TCP", why: "no answer", step: 1 } ]
 * ```
 */
export async function shrink(options: ShrinkOptions): Promise<Shrunk> {
  return new Search(options).run();
}

const CHANCE = 0.2;

// What a group has to have to be tried together: an even chance.
const EVEN = 0.5;

// Turning an option on that was off is avoided like turning off that many others.
const AVERSION = 20;

const BUDGET_ENDED = Symbol("the budget ended");

interface Proposal {
  readonly text: string;
  readonly step: ShrinkStep;
}

class Search {
  readonly #options: ShrinkOptions;
  #state: ShrinkState;
  // Without these nothing smaller can be proposed, as things are.
  readonly #stuck = new Set<string>();
  #candidates: { readonly text: string; readonly all: readonly Candidate[] } | undefined;

  constructor(options: ShrinkOptions) {
    this.#options = options;
    const { from, tree } = options;
    if (typeof from !== "string") {
      this.#state = from;
      return;
    }
    tree.load(from, { file: ".config" });
    this.#state = { text: tree.configText(), step: 0, needed: [], removed: [], tests: 0, expected: 0 };
  }

  async run(): Promise<Shrunk> {
    try {
      do await this.#turnOffTheRest();
      while (await this.#tryNeededAgain());
    } catch (error) {
      if (error !== BUDGET_ENDED) throw error;
    }
    return { state: this.#state, untried: await this.#untried() };
  }

  async #turnOffTheRest(): Promise<void> {
    for (;;) {
      const group = this.#nextGroup();
      if (group.length === 0) return;
      await this.#turnOff(group);
    }
  }

  // The most that can go together with an even chance: what is least likely needed, and of that the biggest first.
  #nextGroup(): readonly string[] {
    const { saved = (symbols) => symbols.length } = this.#options;
    const open = this.#open().map((one) => ({
      ...one,
      chance: this.#chance(one.goes),
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
    return group;
  }

  // What may be turned off without turning off what is to stay.
  #open(): readonly Candidate[] {
    const { tree, required } = this.#options;
    const { text, needed } = this.#state;
    const stay = new Set(needed.map(({ symbol }) => symbol));
    for (const { symbol, value } of required) if (value.text !== "n") stay.add(symbol);
    if (this.#candidates?.text !== text) this.#candidates = { text, all: candidatesOf(tree, text) };
    return this.#candidates.all.filter(
      ({ symbol, goes }) => !this.#stuck.has(symbol) && !goes.some((one) => stay.has(one)),
    );
  }

  // Options that go together are as likely needed as the likeliest of them, and all as much more as was seen so far.
  #chance(symbols: readonly string[]): number {
    const { chance = () => CHANCE } = this.#options;
    const { needed, expected } = this.#state;
    const likeliest = Math.max(...symbols.map((symbol) => chance(symbol)));
    const odds = (likeliest * (needed.length + 1)) / (expected + 1);
    return Math.min(Math.max(odds, 0.01), 0.95);
  }

  async #turnOff(group: readonly string[]): Promise<void> {
    const proposal = await this.#propose(group);
    if (proposal === undefined) {
      if (group.length === 1) for (const symbol of group) this.#stuck.add(symbol);
      else await this.#turnOffHalves(group);
      return;
    }
    const verdict = await this.#ask(proposal);
    if (verdict.ok) await this.#adopt(proposal);
    else if (group.length > 1) await this.#turnOffHalves(group);
    else for (const symbol of group) await this.#keep(symbol, verdict.why);
  }

  // The second half is often known to fail when all of the first is gone: the test is asked for the same again.
  async #turnOffHalves(group: readonly string[]): Promise<void> {
    const middle = Math.ceil(group.length / 2);
    await this.#turnOff(group.slice(0, middle));
    const on = new Set(optionsOn(this.#state.text));
    const rest = group.slice(middle).filter((symbol) => on.has(symbol));
    if (rest.length > 0) await this.#turnOff(rest);
  }

  // Whether something was turned off after all; then what it held may be free.
  async #tryNeededAgain(): Promise<boolean> {
    for (const { symbol, step } of this.#state.needed) {
      if (step === this.#state.step) continue;
      const proposal = await this.#propose([symbol]);
      if (proposal === undefined) continue;
      const verdict = await this.#ask(proposal);
      if (verdict.ok) {
        await this.#adopt(proposal);
        return true;
      }
      await this.#keep(symbol, verdict.why);
    }
    return false;
  }

  // A configuration without some options, with all that is required or known to be needed otherwise; undefined when there is
  // none, or none that is smaller.
  async #propose(off: readonly string[]): Promise<Proposal | undefined> {
    const { tree, required } = this.#options;
    const { text, needed } = this.#state;
    const before = parseConfig(text);
    const on = optionsOn(text);
    const wasOn = new Set(on);
    const stay = needed.flatMap(({ symbol }): ConfigRequest[] => {
      const value = before.values.get(symbol);
      if (value === undefined || off.includes(symbol)) return [];
      return [{ symbol, value, origin: "the test", conditions: new Map() }];
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

  async #ask({ text, step }: Proposal): Promise<Verdict> {
    const { test, mayTest } = this.#options;
    if (mayTest?.(text) === false) throw BUDGET_ENDED;
    const verdict = await test(text, step);
    this.#state = { ...this.#state, tests: this.#state.tests + 1 };
    return verdict;
  }

  async #adopt({ text, step: { off, goes } }: Proposal): Promise<void> {
    const { needed, removed, expected, tests } = this.#state;
    const step = this.#state.step + 1;
    this.#stuck.clear();
    await this.#become({
      text,
      step,
      tests,
      needed: needed.filter(({ symbol }) => !goes.includes(symbol)),
      removed: [...removed, ...goes.map((symbol) => ({ symbol, step }))],
      expected: expected + this.#expectation(off),
    });
  }

  async #keep(symbol: string, why: string): Promise<void> {
    const { needed, step, expected } = this.#state;
    const others = needed.filter((one) => one.symbol !== symbol);
    const isNew = others.length === needed.length;
    await this.#become({
      ...this.#state,
      needed: [...others, { symbol, why, step }],
      expected: isNew ? expected + this.#expectation([symbol]) : expected,
    });
  }

  #expectation(symbols: readonly string[]): number {
    const { chance = () => CHANCE } = this.#options;
    return symbols.reduce((sum, symbol) => sum + chance(symbol), 0);
  }

  async #become(state: ShrinkState): Promise<void> {
    this.#state = state;
    await this.#options.onState?.(state);
  }

  async #untried(): Promise<readonly string[]> {
    const untried = this.#open().map(({ symbol }) => symbol);
    for (const { symbol, step } of this.#state.needed) {
      if (step === this.#state.step) continue;
      if ((await this.#propose([symbol])) !== undefined) untried.push(symbol);
    }
    return untried;
  }
}
