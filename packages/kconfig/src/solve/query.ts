/** One question to the solver: requirements, each with a literal that stands for it. */
import type { Sym } from "../engine/model.ts";
import type { KconfigTree } from "../tree.ts";
import type { Lit } from "./cnf.ts";
import { confirm } from "./confirm.ts";
import type { Judgement } from "./confirm.ts";
import type { Encoding } from "./encode.ts";
import type { Requirement } from "./requirement.ts";
import type { SatSolver } from "./sat.ts";

export class Query {
  readonly solver: SatSolver;
  readonly #tree: KconfigTree;
  readonly #encoding: Encoding;
  #variables: number;
  readonly #lits = new Map<Requirement, Lit>();
  readonly #defined = new Set<Lit>();

  /** `lessons` are clauses that the engine taught. */
  constructor(tree: KconfigTree, encoding: Encoding, lessons: readonly Lit[], solver: SatSolver) {
    this.solver = solver;
    this.#tree = tree;
    this.#encoding = encoding;
    this.#variables = encoding.cnf.variables;
    this.solver.add(lessons);
  }

  readonly variable = (): Lit => ++this.#variables;

  /** A literal that stands for all literals of a requirement. */
  litOf(requirement: Requirement): Lit {
    let lit = this.#lits.get(requirement);
    if (lit === undefined) {
      lit = this.variable();
      this.#lits.set(requirement, lit);
      for (const one of requirement.lits) this.solver.add([-lit, one, 0]);
    }
    return lit;
  }

  /** Whether requirements can be met together, as far as the clauses tell. */
  possible(requirements: readonly Requirement[]): boolean {
    return this.solver.solve(requirements.map((one) => this.litOf(one))) === "yes";
  }

  /** Requirements that cannot be met together, while any of them left out the others can. All together they cannot. */
  coreOf(requirements: readonly Requirement[]): readonly Requirement[] {
    let core = requirements.filter((one) => this.solver.failed(this.litOf(one)));
    for (const one of core) {
      if (!core.includes(one)) continue;
      const others = core.filter((other) => other !== one);
      if (!this.possible(others)) core = others.filter((other) => this.solver.failed(this.litOf(other)));
    }
    return core;
  }

  /** As many of the wishes as can be had with the requirements, the first ones first. The solver has values for them. */
  most(requirements: readonly Requirement[], wishes: readonly Requirement[]): readonly Requirement[] {
    let kept = wishes;
    while (kept.length > 0 && !this.possible([...requirements, ...kept])) {
      // The last one that has a part in it gives way.
      const last = kept.findLast((one) => this.solver.failed(this.litOf(one)));
      kept = kept.filter((one) => one !== last);
    }
    if (kept.length === 0 && wishes.length > 0) this.possible(requirements);
    return kept;
  }

  /** What the engine says of the values that the solver has now for requirements. */
  check(requirements: readonly Requirement[]): Judgement {
    const holds = (lit: Lit): boolean => this.solver.holds(lit);
    return confirm(this.#tree, this.#encoding, { holds, texts: requiredTexts(requirements) });
  }

  /** Whether literals can hold together with requirements. */
  allows(requirements: readonly Requirement[], lits: readonly Lit[]): boolean {
    for (const lit of lits) this.#define(lit);
    return this.solver.solve([...requirements.map((one) => this.litOf(one)), ...lits]) === "yes";
  }

  // The clauses of a gate that has none yet, in the direction that is asked for.
  #define(lit: Lit): void {
    const operands = this.#encoding.cnf.operandsOf(Math.abs(lit));
    if (operands === undefined || this.#defined.has(lit)) return;
    this.#defined.add(lit);
    if (lit > 0) for (const one of operands) this.solver.add([-lit, one, 0]);
    else this.solver.add([-lit, ...operands.map((one) => -one), 0]);
    for (const one of operands) this.#define(lit > 0 ? one : -one);
  }
}

/** The texts of numbers and strings as they are required. */
export function requiredTexts(requirements: readonly Requirement[]): ReadonlyMap<Sym, string> {
  return new Map(
    requirements.flatMap(({ symbol, text }) =>
      symbol === undefined || text === undefined ? [] : [[symbol, text] as const],
    ),
  );
}
