/** Requirements drawn at random. */
import { valueOf } from "../../src/index.ts";
import type { ConfigRequest, KconfigTree } from "../../src/index.ts";
import { conditionsOf } from "../../src/explain/costs.ts";
import { engineOf } from "../../src/tree.ts";
import { symbolsOf } from "../../src/engine/expr.ts";
import { isLogic } from "../../src/engine/model.ts";
import type { Sym } from "../../src/engine/model.ts";
import { Random } from "../fuzz/random.ts";

/** Symbols to draw from: those with a prompt, and all others. */
export interface Pool {
  readonly open: readonly Sym[];
  readonly closed: readonly Sym[];
}

export function poolOf(tree: KconfigTree): Pool {
  const { table } = engineOf(tree);
  const all = tree.names.flatMap((name) => {
    const symbol = table.find(name);
    return symbol === undefined || symbol.isChoice || symbol.type === "unknown" ? [] : [symbol];
  });
  const hasPrompt = (symbol: Sym): boolean => symbol.props.some(({ text }) => text !== undefined);
  return { open: all.filter(hasPrompt), closed: all.filter((symbol) => !hasPrompt(symbol)) };
}

/** 1 to 8 symbols with values; few enough of them impossible that both verdicts are met. */
export function drawRequirements({ open, closed }: Pool, seed: number): readonly ConfigRequest[] {
  const random = new Random(seed);
  const drawn = new Map<string, ConfigRequest>();
  const count = random.from(1, 8);
  let last: Sym | undefined;
  while (drawn.size < count) {
    // Often one that another has to do with, so that they get in each other's way.
    const near = last === undefined || random.chance(70) ? [] : relatedTo(last);
    const symbol = random.pick(near.length > 0 ? near : random.chance(96) ? open : closed);
    last = symbol;
    const name = symbol.name ?? "";
    drawn.set(name, {
      symbol: name,
      value: valueOf(valueFor(symbol, random)),
      origin: "draw",
      conditions: new Map(),
    });
  }
  return [...drawn.values()];
}

function relatedTo(symbol: Sym): readonly Sym[] {
  const named = [...conditionsOf(symbol)].flatMap((expr) => [...symbolsOf(expr)]);
  return named.filter((one) => one.menus.length > 0 && !one.isChoice && one.type !== "unknown");
}

function valueFor(symbol: Sym, random: Random): string {
  if (symbol.type === "bool") return random.chance(70) ? "y" : "n";
  if (symbol.type === "tristate") return random.weighted({ y: 40, m: 30, n: 30 });
  // One that the tree names, one beside it, or any.
  const named = symbol.props.flatMap(({ kind, expr }) =>
    kind === "default" || kind === "range" ? [...symbolsOf(expr)] : [],
  );
  const texts = named
    .filter((value) => !isLogic(value.type) && value.menus.length === 0)
    .map(({ name }) => name ?? "");
  const near = texts.length === 0 ? "" : random.pick(texts);
  if (symbol.type === "string")
    return random.chance(50) && near !== "" ? `"${near}"` : `"drawn ${random.below(9)}"`;
  const start = /^-?(0[xX])?[0-9a-fA-F]+$/.test(near)
    ? BigInt(symbol.type === "hex" && !/^0[xX]/.test(near) ? `0x${near}` : near)
    : 16n;
  const moved = start + BigInt(random.pick([0, 0, 0, -1, 1, 3, 100, 1_000_000]));
  return symbol.type === "hex" ? `0x${(moved < 0n ? 0n : moved).toString(16)}` : String(moved);
}
