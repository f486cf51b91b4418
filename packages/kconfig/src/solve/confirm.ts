/** The engine's judgement of a configuration that the solver proposes, and what to tell the solver when it is wrong. */
import { symbolsOf } from "../engine/expr.ts";
import type { LoadedTree } from "../engine/load.ts";
import { isLogic } from "../engine/model.ts";
import type { Sym } from "../engine/model.ts";
import { quote } from "../engine/write.ts";
import { conditionsOf } from "../explain/costs.ts";
import { decode } from "../internal/symbol-view.ts";
import { KconfigError } from "../errors.ts";
import { engineOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";
import type { Lit } from "./cnf.ts";
import type { Encoding } from "./encode.ts";
import { keyOf } from "./landmarks.ts";

/** Values as the solver has them. */
export interface Proposal {
  readonly holds: (lit: Lit) => boolean;
  /** The text that a number or string is to have, where it is not the one that stands for it. */
  readonly texts: ReadonlyMap<Sym, string>;
}

/** What the engine says: the text of `.config`, or clauses that are true of the tree and that the proposal breaks. */
export type Judgement = { readonly text: string } | { readonly lessons: readonly Lit[] };

/**
 * Loads a proposal, and again what is written then, and compares every value both times. The tree has the configuration
 * afterwards.
 *
 * @throws KconfigError KCONFIG_SOLVE when the engine disagrees and nothing can be learned from it.
 */
export function confirm(tree: KconfigTree, encoding: Encoding, proposal: Proposal): Judgement {
  const engine = engineOf(tree);
  let text = proposedText(engine, encoding, proposal);
  for (let pass = 0; pass < 2; pass++) {
    tree.load(text, { file: "proposal" });
    const wrong = mismatches(engine, encoding, proposal);
    if (wrong.length > 0) return { lessons: lessons(wrong, engine, encoding, proposal) };
    if (pass === 0) text = tree.configText();
  }
  return { text };
}

function proposedText(engine: LoadedTree, encoding: Encoding, proposal: Proposal): string {
  const { options, texts, pairOf } = encoding;
  const { prefix } = engine.dialect;
  const lines: string[] = [];
  for (const symbol of options) {
    // What has no prompt takes no value.
    if (!symbol.props.some(({ text }) => text !== undefined)) continue;
    const { on, y } = pairOf(symbol);
    const name = `${prefix}${symbol.name ?? ""}`;
    if (!proposal.holds(on)) lines.push(`# ${name} is not set\n`);
    else lines.push(`${name}=${proposal.holds(y) ? "y" : "m"}\n`);
  }
  for (const { symbol } of texts.values()) {
    const text = textOf(symbol, encoding, proposal);
    if (text === undefined || (text === "" && symbol.type !== "string")) continue;
    lines.push(
      `${prefix}${symbol.name ?? ""}=${symbol.type === "string" ? quote(text, engine.dialect) : text}\n`,
    );
  }
  return decode(lines.join(""));
}

function textOf(symbol: Sym, { texts }: Encoding, proposal: Proposal): string | undefined {
  return proposal.texts.get(symbol) ?? texts.get(symbol)?.domain.find(([, is]) => proposal.holds(is))?.[0];
}

function mismatches(engine: LoadedTree, encoding: Encoding, proposal: Proposal): readonly Sym[] {
  const { evaluator } = engine;
  const { options, texts, pairOf } = encoding;
  const wrong: Sym[] = [];
  for (const symbol of options) {
    evaluator.calc(symbol);
    const { on, y } = pairOf(symbol);
    const tri = proposal.holds(on) ? (proposal.holds(y) ? 2 : 1) : 0;
    if (symbol.tri !== tri) wrong.push(symbol);
  }
  for (const { symbol } of texts.values()) {
    evaluator.calc(symbol);
    const wanted = textOf(symbol, encoding, proposal);
    if (wanted === undefined || keyOf(symbol, wanted) === keyOf(symbol, symbol.text ?? "")) continue;
    wrong.push(symbol);
  }
  return wrong;
}

// A value follows from the values of the symbols that its conditions name. Where those are as proposed and the value is not,
// they rule it out. Members of a choice have their values together.
function lessons(
  wrong: readonly Sym[],
  engine: LoadedTree,
  encoding: Encoding,
  proposal: Proposal,
): readonly Lit[] {
  const off = new Set(wrong);
  const clauses: Lit[] = [];
  const seen = new Set<Sym>();
  for (const symbol of wrong) {
    if (seen.has(symbol)) continue;
    const group = groupOf(symbol, engine);
    for (const one of group) seen.add(one);
    const named = new Set(group.flatMap((one) => [...namedBy(one)]));
    named.add(engine.modules);
    for (const one of group) named.delete(one);
    if ([...named].some((one) => off.has(one))) continue;
    const lits = [...named, ...group].flatMap((one) => valueLits(one, encoding, proposal));
    clauses.push(...lits.map((lit) => -lit), 0);
  }
  if (clauses.length > 0) return clauses;
  const names = wrong.slice(0, 5).map(({ name }) => name ?? "a choice");
  throw new KconfigError("KCONFIG_SOLVE", `The values that were found do not hold: ${names.join(", ")}`, {
    hint: "Please report it, with the requirements and the tree",
  });
}

function groupOf(symbol: Sym, engine: LoadedTree): readonly Sym[] {
  const { choice, choiceNode } = symbol;
  if (choice !== undefined) return [choice, ...choice.values];
  if (choiceNode === undefined) return [symbol];
  return engine.symbols.filter((one) => one.choiceNode === choiceNode);
}

function* namedBy(symbol: Sym): Generator<Sym> {
  for (const expr of conditionsOf(symbol)) yield* symbolsOf(expr);
  for (const { kind, expr } of symbol.props) if (kind === "range") yield* symbolsOf(expr);
}

// The literals that say that a symbol has the proposed value.
function valueLits(symbol: Sym, { pairOf, texts }: Encoding, { holds }: Proposal): readonly Lit[] {
  if (isLogic(symbol.type)) {
    const { on, y } = pairOf(symbol);
    return [holds(on) ? on : -on, holds(y) ? y : -y];
  }
  const held = texts.get(symbol)?.domain.find(([, is]) => holds(is));
  return held === undefined ? [] : [held[1]];
}
