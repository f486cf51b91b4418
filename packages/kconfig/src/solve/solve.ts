/** Values that make requirements true, at the least weight of all else. */
import { parseConfig } from "../config.ts";
import type { Config } from "../config.ts";
import type { Sym } from "../engine/model.ts";
import { isValidText } from "../engine/text-value.ts";
import { KconfigError } from "../errors.ts";
import { encode } from "../internal/symbol-view.ts";
import type { ConfigRequest } from "../fragment.ts";
import { engineOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";
import { aimOf } from "./base.ts";
import type { Aim, SolveBase, WeightOf } from "./base.ts";
import type { Lit } from "./cnf.ts";
import { confirm } from "./confirm.ts";
import { reasonsOf } from "./reasons.ts";
import type { Reason } from "./reasons.ts";
import { encodingOf } from "./encode.ts";
import type { Encoding } from "./encode.ts";
import { keyOf } from "./landmarks.ts";
import type { ExtraValue } from "./landmarks.ts";
import { optimize } from "./optimize.ts";
import type { Cores, Effort } from "./optimize.ts";
import { requirementOf } from "./requirement.ts";
import type { Requirement } from "./requirement.ts";
import { Query, requiredTexts } from "./query.ts";
import type { SatSolver, SolverAtStart } from "./sat.ts";

/** How to solve. */
export interface SolveOptions {
  /** Default: `allnoconfig`. */
  readonly base?: SolveBase | undefined;
  /**
   * What an option weighs that is on, or a number or string that is not at its default: a whole number, 0 or more. With a
   * configuration as base: what a symbol weighs that is not as it was. Default, also for symbols without: 1 for an option, 100
   * for a number or string. At most 2 ** 31, so that sums stay exact.
   */
  readonly weights?: ReadonlyMap<string, number> | ((symbol: string) => number | undefined) | undefined;
  /** How much may be spent on the search for the least weight. The result depends on it, never on the time that it takes. */
  readonly effort?: Effort | undefined;
}

/** A configuration in which all requirements are met. */
export interface Solved {
  readonly kind: "solved";
  /** As conf writes it; conf reads it without changing anything. */
  readonly text: string;
  readonly config: Config;
  /** The sum of the weights. */
  readonly weight: number;
  /** No configuration that meets the requirements weighs less than this; `weight` is the least when it is the same. */
  readonly bound: number;
  /** What the base wished for and the requirements leave no room for. */
  readonly dropped: readonly ConfigRequest[];
}

/** Requirements that no configuration meets together; any of them left out, the others can be met. */
export interface Unsolvable {
  readonly kind: "unsolvable";
  readonly core: readonly ConfigRequest[];
  /** What stands between them, one thing after the other. */
  readonly reasons: readonly Reason[];
}

/** More than any query to the kernels' trees has needed. */
const EFFORT: Effort = { conflicts: 200_000, questions: 1000 };

// Times all symbols of a kernel and all its choices this is still a whole number for JavaScript.
const HEAVIEST = 2 ** 31;

// Lessons that one query may take from the engine; each rules out a wrong combination for good.
const LESSONS = 100;

/**
 * Finds the values that make all requirements true at the least weight: what they depend on is turned on, what forbids
 * them is turned off, in whichever of all possible ways weighs least. The engine has read and confirmed the result, which is
 * the tree's configuration afterwards; where there is none, the tree's values are those of an attempt. The same tree,
 * requirements and options give the same result.
 *
 * @throws KconfigError KCONFIG_VALUE for a symbol that does not exist (unless it is to be n), a value that its type does
 * not have, or a weight that is no whole number or too large.
 * @example
 * ```ts
 * import { loadKconfig, requestsOf, solve, valueOf } from "@justenough/kconfig";
 * const text = 'config NET\n\tbool "Networking"\n\nconfig TCP\n\tbool "TCP"\n\tdepends on NET\n';
 * const tree = await loadKconfig({
 *   srctree: "/tree",
 *   host: {
 *     env: {},
 *     readFile: (path) => (path === "/tree/Kconfig" ? new TextEncoder().encode(text) : undefined),
 *     shell: () => "",
 *   },
 * });
 * const solved = await solve(tree, requestsOf({ TCP: valueOf("y") }, "me"));
 * console.log(solved.kind, tree.value("NET")); // solved y
 * ```
 */
export async function solve(
  tree: KconfigTree,
  requests: readonly ConfigRequest[],
  options: SolveOptions = {},
): Promise<Solved | Unsolvable> {
  const weightOf = weighing(options.weights);
  const { base = "allnoconfig" } = options;
  const encoding = encodingFor(tree, requests, base);
  const requirements = requests.map((request) => requirementOf(request, engineOf(tree), encoding));
  const ground = await groundOf(encoding);
  const aim = aimOf(base, weightOf, tree, encoding);
  const lessons: Lit[] = [];
  for (let round = 0; round < LESSONS; round++) {
    const found = attempt(requirements, aim, options.effort ?? EFFORT, lessons, { tree, encoding, ground });
    if ("kind" in found) return found;
    lessons.push(...found.lessons);
  }
  throw new KconfigError("KCONFIG_SOLVE", "The engine disagrees with the solver again and again", {
    hint: "Please report it, with the requirements and the tree",
  });
}

// Where numbers that the user sets bound one another, the values that are asked for have to be told apart.
function encodingFor(tree: KconfigTree, requests: readonly ConfigRequest[], base: SolveBase): Encoding {
  const engine = engineOf(tree);
  const encoding = encodingOf(engine);
  const extra: ExtraValue[] = [];
  const add = (symbol: Sym, text: string): void => {
    if (!isValidText(symbol.type, text)) return;
    const known = encoding.texts
      .get(symbol)
      ?.domain.some(([value]) => keyOf(symbol, value) === keyOf(symbol, text));
    if (known === false) extra.push([symbol, text]);
  };
  for (const { symbol: name, value } of requests) {
    const symbol = engine.table.find(name);
    if (symbol !== undefined && encoding.joined.has(symbol)) add(symbol, encode(value.text));
  }
  if (typeof base === "object" && "text" in base) {
    tree.load(base.text, { file: "base" });
    for (const symbol of encoding.joined) {
      engine.evaluator.calc(symbol);
      if (symbol.visible !== 0) add(symbol, symbol.text ?? "");
    }
  }
  return extra.length === 0 ? encoding : encodingOf(engine, extra);
}

interface Context {
  readonly tree: KconfigTree;
  readonly encoding: Encoding;
  readonly ground: Ground;
}

function attempt(
  requirements: readonly Requirement[],
  aim: Aim,
  effort: Effort,
  lessons: readonly Lit[],
  { tree, encoding, ground }: Context,
): Solved | Unsolvable | { readonly lessons: readonly Lit[] } {
  // Before the question: there is one solver.
  const known = aim.allOff ? ground.cores() : [];
  const query = new Query(tree, encoding, lessons, ground.solver());
  for (const lit of aim.prefer) query.solver.prefer(lit);
  if (!query.possible(requirements)) {
    const core = query.coreOf(requirements);
    for (const one of core) {
      const others = core.filter((other) => other !== one);
      if (!query.possible(others)) throw new KconfigError("KCONFIG_SOLVE", "The core is not minimal");
      const judged = query.check(others);
      if ("lessons" in judged) return judged;
    }
    return {
      kind: "unsolvable",
      core: core.map(({ request }) => request),
      reasons: reasonsOf(core, query, encoding),
    };
  }
  const wishes = aim.wishes.map((request) => requirementOf(request, engineOf(tree), encoding));
  const kept = query.most(requirements, wishes);
  const optimum = optimize({
    solver: query.solver,
    settled: [...requirements, ...kept].map((one) => query.litOf(one)),
    variable: query.variable,
    shown: encoding.shown,
    softs: aim.softs,
    known,
    effort,
  });
  const texts = new Map(
    [...aim.texts].flatMap(([symbol, { text, is }]) => (optimum.holds(is) ? [[symbol, text] as const] : [])),
  );
  for (const [symbol, text] of requiredTexts([...kept, ...requirements])) texts.set(symbol, text);
  const judged = confirm(tree, encoding, { holds: optimum.holds, texts });
  if ("lessons" in judged) return judged;
  const { text } = judged;
  return {
    kind: "solved",
    text,
    config: parseConfig(text),
    weight: Math.floor(optimum.cost / aim.scale),
    bound: Math.floor(optimum.bound / aim.scale),
    dropped: wishes.flatMap((wish) => (kept.includes(wish) ? [] : [wish.request])),
  };
}

/** What is made once for a tree. */
interface Ground {
  readonly solver: SolverAtStart;
  /** What cannot be off in any configuration; what is asked for adds to it. Worked out once. */
  readonly cores: () => Cores;
}

const GROUNDS = new WeakMap<Encoding, Promise<Ground>>();

function groundOf(encoding: Encoding): Promise<Ground> {
  let ground = GROUNDS.get(encoding);
  if (ground === undefined) GROUNDS.set(encoding, (ground = layGround(encoding)));
  return ground;
}

async function layGround(encoding: Encoding): Promise<Ground> {
  const { openSolver } = await import("./sat.ts");
  const open = await openSolver(encoding.cnf.clauses);
  const begin = (): SatSolver => {
    const solver = open();
    for (const lit of encoding.idle) solver.prefer(lit);
    if (solver.solve([]) !== "yes") throw new KconfigError("KCONFIG_SOLVE", "The tree has no configuration");
    return solver;
  };
  begin();
  let cores: Cores | undefined;
  return { solver: open, cores: () => (cores ??= coresOf(encoding, begin())) };
}

function coresOf({ cnf, options, pairOf }: Encoding, solver: SatSolver): Cores {
  let { variables } = cnf;
  const { cores } = optimize({
    solver,
    settled: [],
    variable: () => ++variables,
    shown: [],
    softs: options.map((symbol) => ({ lit: -pairOf(symbol).on, weight: 1 })),
    known: [],
    effort: EFFORT,
  });
  return cores;
}

function weighing(weights: SolveOptions["weights"]): WeightOf {
  const given = typeof weights === "function" ? weights : (symbol: string) => weights?.get(symbol);
  return (symbol, usual) => {
    const weight = given(symbol) ?? usual;
    if (!Number.isInteger(weight) || weight < 0) {
      throw new KconfigError("KCONFIG_VALUE", `The weight of "${symbol}" is no whole number: ${weight}`);
    }
    if (weight <= HEAVIEST) return weight;
    throw new KconfigError("KCONFIG_VALUE", `The weight of "${symbol}" is more than ${HEAVIEST}: ${weight}`);
  };
}
