/**
 * A tree as clauses: an assignment that fulfils them all is a configuration that stays as it is when conf reads it, where
 * each symbol that can be seen has a value of its own. Follows sym_calc_value() of symbol.c as evaluator.ts does.
 */
import type { Expr } from "../engine/expr.ts";
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { visibilityOf } from "./encoder.ts";
import type { Encoder } from "./encoder.ts";
import { choiceMembers, encodeMemberChoices, encodeSymbolChoices } from "./choices.ts";
import { Cnf, FALSE, TRUE } from "./cnf.ts";
import type { Lit } from "./cnf.ts";
import { ALWAYS, Expressions, NEVER, operandsOf } from "./expressions.ts";
import type { Pair, SymbolLits } from "./expressions.ts";
import type { ExtraValue } from "./landmarks.ts";
import { Texts } from "./texts.ts";
import type { TextLits } from "./texts.ts";

/** A tree's clauses and what their variables mean. */
export interface Encoding {
  readonly engine: LoadedTree;
  readonly cnf: Cnf;
  /** Bools and tristates, in the order of the files. */
  readonly options: readonly Sym[];
  readonly texts: ReadonlyMap<Sym, TextLits>;
  /** What holds of each choice of which not the default is chosen. */
  readonly astray: readonly Lit[];
  /** Numbers and strings of which any value matters, not only those that the tree names. */
  readonly joined: ReadonlySet<Sym>;
  readonly pairOf: (symbol: Sym) => Pair;
  readonly expressions: Expressions;
  /** The literals that say what values symbols have. */
  readonly shown: readonly Lit[];
  /** The gates that hold when nothing is on. */
  readonly idle: readonly Lit[];
}

const ENCODINGS = new WeakMap<LoadedTree, Map<string, Encoding>>();

// How many encodings with extra values are kept: with its solver, a kernel's takes some 100 MB.
const KEPT = 1;

/** The clauses of a tree, made once for each set of extra values. */
export function encodingOf(engine: LoadedTree, extra: readonly ExtraValue[] = []): Encoding {
  let known = ENCODINGS.get(engine);
  if (known === undefined) ENCODINGS.set(engine, (known = new Map<string, Encoding>()));
  const key = JSON.stringify(extra.map(([symbol, text]) => [symbol.name, text]).sort());
  let encoding = known.get(key);
  if (encoding !== undefined) return encoding;
  encoding = encode(engine, extra);
  const [, oldest] = known.keys();
  if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
  known.set(key, encoding);
  return encoding;
}

function encode(engine: LoadedTree, extra: readonly ExtraValue[]): Encoding {
  const cnf = new Cnf();
  const pairs = new Map<Sym, Pair>();
  const logic = [...engine.symbols].filter(
    (symbol) => isLogic(symbol.type) && symbol.menus.length > 0 && !symbol.transitional,
  );
  logic.sort((a, b) => a.id - b.id);
  for (const symbol of logic) {
    if (symbol.isChoice && engine.dialect.choice === "members") continue;
    const on = cnf.variable();
    pairs.set(symbol, { on, y: symbol.type === "bool" ? on : cnf.variable() });
  }
  const pairOf = (symbol: Sym): Pair => {
    const pair = pairs.get(symbol);
    if (pair !== undefined) return pair;
    if (symbol.menus.length > 0 || symbol.tri === 0 || !symbol.constant) return NEVER;
    return symbol.tri === 2 ? ALWAYS : { on: TRUE, y: FALSE };
  };
  const lits: SymbolLits = {
    cnf,
    comparesNumbers: engine.dialect.comparesNumbers,
    pairOf,
    textsOf: (symbol) => texts.domain(symbol),
  };
  const expressions = new Expressions(lits);
  const texts: Texts = new Texts(engine, cnf, () => expressions, extra);
  const encoder: Encoder = { engine, cnf, lits, expressions, modules: pairOf(engine.modules).on };
  const members = choiceMembers(engine);
  for (const symbol of logic) {
    if (!symbol.isChoice && !members.has(symbol)) encodeSymbol(symbol, encoder);
  }
  const astray =
    engine.dialect.choice === "members" ? encodeMemberChoices(encoder) : encodeSymbolChoices(encoder);
  const constrained = new Map(texts.constrain().map((one) => [one.symbol, one]));
  const options = logic.filter((symbol) => !symbol.isChoice);
  const shown = new Set(options.flatMap((symbol) => Object.values(pairOf(symbol)) as Lit[]));
  for (const { domain } of constrained.values()) for (const [, is] of domain) shown.add(is);
  return {
    engine,
    cnf,
    options,
    texts: constrained,
    astray,
    joined: texts.joined,
    pairOf,
    expressions,
    shown: [...shown],
    idle: cnf.gatesThatHold([]),
  };
}

function encodeSymbol(symbol: Sym, encoder: Encoder): void {
  const { cnf, expressions, modules, lits } = encoder;
  const { on, y } = lits.pairOf(symbol);
  const seen = visibilityOf(symbol, encoder, expressions);
  const selected = orNever(symbol.revDep, expressions);
  const standard = standardOf(symbol, encoder);
  // Up to what is seen or selected; what is not seen has its default.
  for (const one of operandsOf(symbol.revDep, "||")) cnf.clause(-expressions.of(one).on, on);
  cnf.clause(-on, seen.on, selected.on, standard.on);
  cnf.clause(seen.on, -standard.on, on);
  if (symbol.type === "bool") return;
  cnf.clause(-y, on);
  cnf.clause(modules, -on, y);
  // Without modules m is y, so that the rest is about trees with them.
  for (const one of operandsOf(symbol.revDep, "||")) cnf.clause(-expressions.of(one).y, y);
  cnf.clause(-y, -modules, seen.y, selected.y, standard.y);
  cnf.clause(-y, -modules, seen.y, selected.y, -seen.on);
  cnf.clause(seen.on, -standard.y, y);
}

// What a symbol is that nobody sees and nothing selects: its first default that holds, raised by what implies it.
function standardOf(symbol: Sym, { cnf, expressions }: Encoder): Pair {
  let pair = NEVER;
  for (const property of symbol.props.filter(({ kind }) => kind === "default").reverse()) {
    const condition = expressions.of(property.condition);
    const value = expressions.of(property.expr);
    pair = {
      on: cnf.choose(condition.on, value.on, pair.on),
      y: cnf.choose(condition.on, cnf.and(value.y, condition.y), pair.y),
    };
  }
  if (symbol.implied === undefined) return pair;
  const implied = expressions.of(symbol.implied);
  const dependencies = expressions.of(symbol.dirDep);
  return {
    on: cnf.choose(implied.on, dependencies.on, pair.on),
    y: cnf.choose(implied.on, cnf.and(cnf.or(pair.y, implied.y), dependencies.y), pair.y),
  };
}

function orNever(expr: Expr | undefined, expressions: Expressions): Pair {
  return expr === undefined ? NEVER : expressions.of(expr);
}
