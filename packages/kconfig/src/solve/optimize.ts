/** The least weight of what has to be given up, as far as an effort goes. */
import type { Lit } from "./cnf.ts";
import { atLeast } from "./count.ts";
import type { SatSolver } from "./sat.ts";

/** A literal that should hold, and what it weighs when it does not; more than 0. */
export interface Soft {
  readonly lit: Lit;
  readonly weight: number;
}

/** Sets of literals that cannot hold all at once, whatever is asked for. */
export type Cores = readonly (readonly Lit[])[];

/** What was found. */
export interface Optimum {
  /** What does not hold. */
  readonly broken: readonly Soft[];
  readonly cost: number;
  /** Nothing costs less than this. */
  readonly bound: number;
  readonly holds: (lit: Lit) => boolean;
  /** The cores that were met, of the given literals only. */
  readonly cores: Cores;
}

/** How much may be spent on the search for a least one. */
export interface Effort {
  /** Conflicts of the solver in all. */
  readonly conflicts: number;
  readonly questions: number;
}

export interface OptimizeRequest {
  /** Its last answer was "yes". */
  readonly solver: SatSolver;
  /** Is to hold from now on, as it did in that answer. */
  readonly settled: readonly Lit[];
  /** Makes a new variable. */
  readonly variable: () => Lit;
  /** The literals whose values are of interest. */
  readonly shown: readonly Lit[];
  readonly softs: readonly Soft[];
  readonly known: Cores;
  readonly effort: Effort;
}

/**
 * Finds values that break as little as can be. What is broken is always a minimal set, of which nothing can be mended
 * without breaking something else; when `cost` is `bound` it is a least one.
 *
 * Core by core, as Morgado, Dodaro and Marques-Silva describe it (Core-Guided MaxSAT with Soft Cardinality Constraints,
 * CP 2014): of a set of literals that cannot hold together one is given up, and how many are is counted from then on.
 */
export function optimize(request: OptimizeRequest): Optimum {
  return new Search(request).run();
}

class Search {
  readonly #request: OptimizeRequest;
  #conflicts: number;
  #questions: number;
  #model: ReadonlyMap<Lit, boolean> = new Map();
  #broken: readonly Soft[] = [];
  #cost = Number.POSITIVE_INFINITY;
  #bound = 0;
  /** What still should hold, at what weight; sums are among them. */
  readonly #weights = new Map<Lit, number>();
  /** Of a literal that says that no more than so many of a core are broken. */
  readonly #sums = new Map<Lit, { readonly outputs: readonly Lit[]; readonly index: number }>();
  readonly #cores: (readonly Lit[])[] = [];

  constructor(request: OptimizeRequest) {
    this.#request = request;
    this.#conflicts = request.effort.conflicts;
    this.#questions = request.effort.questions;
    for (const { lit, weight } of request.softs) this.#weigh(lit, weight);
  }

  run(): Optimum {
    const { solver, known, settled, softs } = this.#request;
    this.#take();
    for (const lit of settled) solver.add([lit, 0]);
    solver.propagate();
    for (const { lit } of softs) {
      if (solver.certain(lit)) this.#weights.delete(lit);
      else if (solver.certain(-lit)) this.#giveUp([lit]);
    }
    for (const core of known) if (core.every((lit) => this.#weights.has(lit))) this.#giveUp(core);
    this.#raise();
    if (this.#bound < this.#cost) this.#shrink();
    const model = this.#model;
    return {
      broken: this.#broken,
      cost: this.#cost,
      bound: Math.min(this.#bound, this.#cost),
      holds: (lit) => model.get(Math.abs(lit)) === lit > 0,
      cores: this.#cores,
    };
  }

  // Takes the solver's values when they are the best so far.
  #take(): void {
    const { solver, softs, shown } = this.#request;
    const broken = softs.filter(({ lit }) => !solver.holds(lit));
    const cost = broken.reduce((total, { weight }) => total + weight, 0);
    if (cost >= this.#cost) return;
    this.#cost = cost;
    this.#broken = broken;
    this.#model = new Map(shown.map((lit) => [Math.abs(lit), solver.holds(Math.abs(lit))]));
  }

  // Mends what can be mended without breaking anything else; each round mends something, so that it ends.
  #shrink(): void {
    const { solver, softs } = this.#request;
    for (;;) {
      const broken = new Set(this.#broken);
      const kept = softs.flatMap((soft) => (broken.has(soft) ? [] : [soft.lit]));
      const oneOf = this.#broken.map(({ lit }) => lit);
      if (oneOf.length === 0 || solver.solve(kept, { oneOf }) !== "yes") return;
      this.#take();
    }
  }

  #ask(assumptions: readonly Lit[]): "yes" | "no" | "unknown" {
    if (this.#questions <= 0 || this.#conflicts <= 0) return "unknown";
    this.#questions--;
    const conflicts = Math.min(this.#conflicts, SHARE);
    const verdict = this.#request.solver.solve(assumptions, { conflicts });
    // How many it took is not told: one that gave up took all of them.
    if (verdict === "unknown") this.#conflicts -= conflicts;
    return verdict;
  }

  #raise(): void {
    // Heavy ones first: what they cost is known early, and light ones are many.
    let least = this.#heaviest() / SPREAD;
    while (this.#bound < this.#cost) {
      const assumed = [...this.#weights].flatMap(([lit, weight]) => (weight >= least ? [lit] : []));
      const verdict = this.#ask(assumed);
      if (verdict === "unknown") return;
      if (verdict === "no") {
        const core = this.#coreOf(assumed);
        if (core.length === 0) return;
        this.#giveUp(core);
        continue;
      }
      this.#take();
      const lighter = [...this.#weights.values()].filter((weight) => weight < least);
      if (lighter.length === 0) {
        this.#bound = this.#cost;
        return;
      }
      least = Math.max(...lighter) / SPREAD;
    }
  }

  // One of these has to be given up; a second one is another matter.
  #giveUp(core: readonly Lit[]): void {
    const weight = Math.min(...core.map((lit) => this.#weights.get(lit) ?? 0));
    this.#bound += weight;
    if (core.every((lit) => !this.#sums.has(lit))) this.#cores.push(core);
    for (const lit of core) {
      this.#weigh(lit, -weight);
      const counted = this.#sums.get(lit);
      if (counted !== undefined) this.#allow(counted.outputs, counted.index + 1, weight);
    }
    if (core.length === 1) return;
    const { solver, variable } = this.#request;
    const outputs = atLeast(
      core.map((lit) => -lit),
      { variable, clause: (...lits) => solver.add([...lits, 0]) },
    );
    this.#allow(outputs, 1, weight);
  }

  #allow(outputs: readonly Lit[], index: number, weight: number): void {
    const more = outputs[index];
    if (more === undefined) return;
    this.#sums.set(-more, { outputs, index });
    this.#weigh(-more, weight);
  }

  #weigh(lit: Lit, weight: number): void {
    const left = (this.#weights.get(lit) ?? 0) + weight;
    if (left > 0) this.#weights.set(lit, left);
    else this.#weights.delete(lit);
  }

  #heaviest(): number {
    let most = 0;
    for (const weight of this.#weights.values()) if (weight > most) most = weight;
    return most;
  }

  // The core of the last answer, made smaller for as long as asking again does.
  #coreOf(assumed: readonly Lit[]): readonly Lit[] {
    const { solver } = this.#request;
    let core = assumed.filter((lit) => solver.failed(lit));
    for (let before = Number.POSITIVE_INFINITY; core.length > 1 && core.length < before;) {
      if (this.#ask(core) !== "no") break;
      before = core.length;
      core = core.filter((lit) => solver.failed(lit));
    }
    return core;
  }
}

// Conflicts that one question may cost, and how far apart weights may be that are looked at together.
const SHARE = 20_000;
const SPREAD = 4;
