/** What is wanted of all that nobody requires: to be off, or to be as it was. */
import { setNewSymbols, EVEN_CHANCES } from "../conf/new-symbols.ts";
import { readValues } from "../engine/read.ts";
import type { Sym } from "../engine/model.ts";
import { parseConfig } from "../config.ts";
import type { ConfigRequest } from "../fragment.ts";
import { encode } from "../internal/symbol-view.ts";
import { proveConfig } from "../prove.ts";
import { engineOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";
import { FALSE } from "./cnf.ts";
import type { Lit } from "./cnf.ts";
import type { Encoding } from "./encode.ts";
import type { Soft } from "./optimize.ts";
import { litOfText } from "./texts.ts";

/**
 * Where solving starts from. `allnoconfig`: as little on as can be. `wishes`: the same, with these values kept as far as the
 * requirements leave them, as `tinyconfig` does. `text`: as near to this configuration, completed with defaults, as can be.
 */
export type SolveBase = "allnoconfig" | { readonly wishes: string } | { readonly text: string };

/** What an option or a changed number weighs; 0 is nothing. `usual` is for what nobody has weighed. */
export type WeightOf = (symbol: string, usual: number) => number;

// A value that nobody chose is a high price for a few options less: with NR_CPUS=3 two SPLIT_*_PTLOCKS are off.
const OPTION = 1;
const TEXT = 100;

/** A base as literals. */
export interface Aim {
  readonly softs: readonly Soft[];
  /** How often a weight of 1 is counted in them: what is left over decides between equals. */
  readonly scale: number;
  /** Variables that are better true, for the solver to try first; gates are among them. */
  readonly prefer: readonly Lit[];
  /** To be kept if possible, the first ones first. */
  readonly wishes: readonly ConfigRequest[];
  /** Each option is better off, so that those of which one has to be on are worth knowing beforehand. */
  readonly allOff: boolean;
  /** Texts of numbers and strings, where they have one that stands for them. */
  readonly texts: ReadonlyMap<Sym, { readonly text: string; readonly is: Lit }>;
}

/** Works out what a base wants. The tree's values are the base's afterwards, or what they were. */
export function aimOf(base: SolveBase, weightOf: WeightOf, tree: KconfigTree, encoding: Encoding): Aim {
  if (typeof base === "object" && "text" in base) return nearTo(base.text, weightOf, tree, encoding);
  // Between equals the defaults of choices.
  const scale = encoding.astray.length + 1;
  const softs: Soft[] = encoding.astray.map((lit) => ({ lit: -lit, weight: 1 }));
  const add = (symbol: Sym, usual: number, lit: Lit): void => {
    const weight = weightOf(symbol.name ?? "", usual);
    if (weight > 0) softs.push({ lit, weight: weight * scale });
  };
  for (const symbol of encoding.options) add(symbol, OPTION, -encoding.pairOf(symbol).on);
  for (const { symbol, changed } of encoding.texts.values())
    if (changed !== FALSE) add(symbol, TEXT, -changed);
  const wishes = base === "allnoconfig" ? [] : wishesIn(base.wishes, tree);
  return { softs, scale, prefer: encoding.idle, wishes, allOff: true, texts: new Map() };
}

// Only those that have an effect by themselves: one whose dependencies nobody asks for is no reason to turn them on.
function wishesIn(text: string, tree: KconfigTree): readonly ConfigRequest[] {
  const engine = engineOf(tree);
  tree.reset();
  readValues(encode(text), engine, { file: "base", prefix: engine.dialect.prefix });
  setNewSymbols(engine, { values: "no", chances: EVEN_CHANCES, random: () => 0 });
  const made = parseConfig(tree.configText());
  const requests = [...parseConfig(text).values].map(([symbol, value]): ConfigRequest => ({
    symbol,
    value,
    origin: "the base",
    conditions: new Map(),
  }));
  const refused = new Set(proveConfig(requests, made).map(({ symbol }) => symbol));
  return requests.filter(({ symbol }) => made.values.has(symbol) && !refused.has(symbol));
}

function nearTo(text: string, weightOf: WeightOf, tree: KconfigTree, encoding: Encoding): Aim {
  const { evaluator } = engineOf(tree);
  tree.load(text, { file: "base" });
  const softs: Soft[] = [];
  const prefer: Lit[] = [];
  // Between equals numbers are better at their defaults.
  const scale = encoding.texts.size + 1;
  const add = (symbol: Sym, usual: number, ...lits: readonly Lit[]): void => {
    const weight = weightOf(symbol.name ?? "", usual);
    for (const lit of lits) {
      if (lit > 0) prefer.push(lit);
      if (weight > 0) softs.push({ lit, weight: weight * scale });
    }
  };
  for (const symbol of encoding.options) {
    evaluator.calc(symbol);
    const { on, y } = encoding.pairOf(symbol);
    if (symbol.tri === 0) add(symbol, OPTION, -on);
    else if (symbol.tri === 2) add(symbol, OPTION, y);
    else add(symbol, OPTION, on, -y);
  }
  const texts = new Map<Sym, { readonly text: string; readonly is: Lit }>();
  for (const lits of encoding.texts.values()) {
    const { symbol, changed } = lits;
    if (changed === FALSE) continue;
    evaluator.calc(symbol);
    const value = symbol.text ?? "";
    const { is } = litOfText(lits, value);
    if (symbol.visible === 0 || is === FALSE) add(symbol, TEXT, -changed);
    else {
      add(symbol, TEXT, is);
      softs.push({ lit: -changed, weight: 1 });
      texts.set(symbol, { text: value, is });
    }
  }
  const gates = encoding.cnf.gatesThatHold(prefer);
  return { softs, scale, prefer: [...prefer, ...gates], wishes: [], allOff: false, texts };
}
