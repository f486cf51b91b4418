/** What could be turned off in a configuration, and what would go with it. */
import { parseConfig } from "../config.ts";
import type { Sym } from "../engine/model.ts";
import { decode, encode } from "../internal/symbol-view.ts";
import { engineOf, incrementalOf } from "../tree.ts";
import type { KconfigTree } from "../tree.ts";

/** An option that is on and that the user may turn off. */
export interface Candidate {
  readonly symbol: string;
  /** What would be off without it: itself, and what depends on it or is selected by nobody else. */
  readonly goes: readonly string[];
}

/** The options that are on in a configuration, by name. */
export function optionsOn(text: string): readonly string[] {
  return [...parseConfig(text).values].flatMap(([name, { kind, text: value }]) =>
    kind === "tristate" && value !== "n" ? [name] : [],
  );
}

/** All candidates of a configuration, in the order of the file. The tree has the configuration afterwards. */
export function candidatesOf(tree: KconfigTree, text: string): readonly Candidate[] {
  tree.load(text, { file: ".config" });
  const { evaluator, table } = engineOf(tree);
  const incremental = incrementalOf(tree);
  const on = optionsOn(text).flatMap((name) => table.find(encode(name)) ?? []);
  for (const symbol of on) evaluator.calc(symbol);
  // Of a choice another member would be on instead.
  const isMember = ({ choice, choiceNode }: Sym): boolean => (choice ?? choiceNode) !== undefined;
  const free = on.filter((symbol) => !isMember(symbol) && evaluator.allows(symbol, 0));
  return free.flatMap((symbol): readonly Candidate[] => {
    const { has, tri } = symbol.user;
    incremental.set(symbol, "n");
    const goes = on.filter((one) => {
      evaluator.calc(one);
      return one.tri === 0;
    });
    incremental.set(symbol, has ? VALUES[tri] : undefined);
    return goes.includes(symbol) ? [{ symbol: nameOf(symbol), goes: goes.map(nameOf) }] : [];
  });
}

const VALUES = ["n", "m", "y"] as const;

function nameOf(symbol: Sym): string {
  return decode(symbol.name ?? "");
}
