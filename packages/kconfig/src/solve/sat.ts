/** A SAT solver as this package needs one, and CaDiCaL behind it. Loaded only by who solves. */
import { createModule } from "cadical-wasm";
import type { CadicalModule } from "cadical-wasm";
import type { Lit } from "./cnf.ts";

export type Verdict = "yes" | "no" | "unknown";

/** Clauses, and questions about them. The same clauses and questions in the same order get the same answers. */
export interface SatSolver {
  /** Adds clauses, one after the other, each ended by 0. */
  readonly add: (clauses: readonly Lit[]) => void;
  /** Says which value to try first for a variable; without, it is false. */
  readonly prefer: (lit: Lit) => void;
  /**
   * Whether all clauses can hold together with the assumptions, and with one more clause for this time. `conflicts` is how
   * much it may cost before the answer is "unknown".
   */
  readonly solve: (
    assumptions: readonly Lit[],
    options?: { readonly oneOf?: readonly Lit[]; readonly conflicts?: number },
  ) => Verdict;
  /** After "yes": whether a literal holds. */
  readonly holds: (lit: Lit) => boolean;
  /** After "no": whether an assumption has a part in it. */
  readonly failed: (assumption: Lit) => boolean;
  /** Works out what follows from clauses that were added, for `certain`. Takes the last answer away. */
  readonly propagate: () => void;
  /** Whether a literal holds whatever is assumed, as far as the solver has noticed. */
  readonly certain: (lit: Lit) => boolean;
}

/** Gives the solver as it was at first, whatever was done with it: there is one at a time. */
export type SolverAtStart = () => SatSolver;

// The functions of CaDiCaL's C interface (ccadical.h).
interface Functions {
  readonly init: () => number;
  readonly set_option: (solver: number, name: string, value: number) => void;
  readonly add: (solver: number, lit: number) => void;
  readonly assume: (solver: number, lit: number) => void;
  readonly constrain: (solver: number, lit: number) => void;
  readonly limit: (solver: number, name: string, value: number) => void;
  readonly phase: (solver: number, lit: number) => void;
  readonly solve: (solver: number) => number;
  readonly val: (solver: number, lit: number) => number;
  readonly failed: (solver: number, lit: number) => number;
  readonly fixed: (solver: number, lit: number) => number;
}

/**
 * Makes a solver with clauses. Loading them takes longer than most questions; therefore all that the solver remembers is
 * kept, and put back instead of loading them again: its module is its own, and memory is all that it has.
 */
export async function openSolver(clauses: readonly Lit[]): Promise<SolverAtStart> {
  const module = await createModule();
  const functions = bindings(module);
  const { init, set_option, add } = functions;
  const solver = init();
  set_option(solver, "quiet", 1);
  // What nothing asks for stays off; symbols, which came first, are decided before the gates that follow from them. To try
  // beforehand whether all could be on, or off, takes longer than it saves.
  set_option(solver, "phase", 0);
  set_option(solver, "forcephase", 1);
  set_option(solver, "reverse", 1);
  set_option(solver, "lucky", 0);
  for (const lit of clauses) add(solver, lit);
  // HEAP32 is another array when memory has grown.
  const memory = (): Uint8Array => new Uint8Array(module.HEAP32.buffer);
  const start = memory().slice();
  return () => {
    memory().set(start);
    return solverWith(solver, functions);
  };
}

function bindings(module: CadicalModule): Functions {
  const bind = <Name extends keyof Functions>(
    name: Name,
    result: "number" | null,
    ...args: readonly ("number" | "string")[]
  ): Functions[Name] => module.cwrap(`ccadical_${name}`, result, [...args]) as Functions[Name];
  return {
    init: bind("init", "number"),
    set_option: bind("set_option", null, "number", "string", "number"),
    add: bind("add", null, "number", "number"),
    assume: bind("assume", null, "number", "number"),
    constrain: bind("constrain", null, "number", "number"),
    limit: bind("limit", null, "number", "string", "number"),
    phase: bind("phase", null, "number", "number"),
    solve: bind("solve", "number", "number"),
    val: bind("val", "number", "number", "number"),
    failed: bind("failed", "number", "number", "number"),
    fixed: bind("fixed", "number", "number", "number"),
  };
}

function solverWith(solver: number, functions: Functions): SatSolver {
  const { add, assume, constrain, limit, phase, solve, val, failed, fixed } = functions;
  return {
    add: (clauses) => {
      for (const lit of clauses) add(solver, lit);
    },
    prefer: (lit) => phase(solver, lit),
    solve: (assumptions, { oneOf, conflicts = -1 } = {}) => {
      for (const lit of assumptions) assume(solver, lit);
      if (oneOf !== undefined) {
        for (const lit of oneOf) constrain(solver, lit);
        constrain(solver, 0);
      }
      limit(solver, "conflicts", conflicts);
      const status = solve(solver);
      return status === 10 ? "yes" : status === 20 ? "no" : "unknown";
    },
    holds: (lit) => val(solver, lit) === lit,
    failed: (assumption) => failed(solver, assumption) !== 0,
    propagate: () => {
      limit(solver, "decisions", 0);
      solve(solver);
    },
    certain: (lit) => fixed(solver, lit) === 1,
  };
}
