/** What all that encodes has in common. */
import type { LoadedTree } from "../engine/load.ts";
import type { Sym } from "../engine/model.ts";
import type { Cnf, Lit } from "./cnf.ts";
import type { Expressions, Pair, SymbolLits } from "./expressions.ts";

/** What encodes symbols works with. */
export interface Encoder {
  readonly engine: LoadedTree;
  readonly cnf: Cnf;
  readonly lits: SymbolLits;
  readonly expressions: Expressions;
  /** There are modules. */
  readonly modules: Lit;
}

/** How far the user can see a symbol. */
export function visibilityOf(symbol: Sym, { cnf }: Pick<Encoder, "cnf">, expressions: Expressions): Pair {
  const prompts = symbol.props.flatMap(({ text, condition }) =>
    text === undefined ? [] : [expressions.of(condition)],
  );
  return { on: cnf.or(...prompts.map(({ on }) => on)), y: cnf.or(...prompts.map(({ y }) => y)) };
}
