import { beforeAll, expect, test } from "vitest";
import { explain, formatExplanation } from "../src/index.ts";
import type { Explanation, KconfigTree } from "../src/index.ts";
import { canHave } from "../src/explain.ts";
import { engineOf, incrementalOf } from "../src/tree.ts";
import { EVEN_CHANCES, setNewSymbols } from "../src/conf/new-symbols.ts";
import { loadX86Tree } from "./reference/loaded-tree.ts";

// How many symbols are drawn, and from where the numbers come: 200 and any other seed for a longer look.
const COUNT = Number(process.env["EXPLAIN_COUNT"] ?? 15);
const SEED = Number(process.env["EXPLAIN_SEED"] ?? 20261124);

let tree: KconfigTree;
beforeAll(async () => {
  ({ tree } = await loadX86Tree("6.12"));
  setNewSymbols(engineOf(tree), { values: "no", chances: EVEN_CHANCES, random: () => 0 });
}, 300_000);

/** Whether the symbol can be set with these settings, all that was before put back. */
function worksWith(
  { symbol: name, reaches = "y" }: Explanation,
  settings: NonNullable<Explanation["requires"]>,
): boolean {
  const engine = engineOf(tree);
  const before = tree.configText();
  for (const { symbol, value, settable } of settings) {
    if (settable) tree.set(symbol, value);
    else {
      const assumed = engine.table.find(symbol);
      if (assumed === undefined) throw new Error(`no ${symbol}`);
      assumed.assumed = value === "y" ? 2 : value === "m" ? 1 : 0;
      incrementalOf(tree).invalidate(assumed);
    }
  }
  const target = engine.table.find(name);
  if (target === undefined) throw new Error(`no ${name}`);
  const works = canHave(target, reaches, engine);
  for (const symbol of engine.symbols) symbol.assumed = undefined;
  tree.load(before);
  setNewSymbols(engine, { values: "no", chances: EVEN_CHANCES, random: () => 0 });
  return works;
}

test(
  `what ${COUNT} invisible symbols need is enough, and all of it is needed (seed ${SEED})`,
  { timeout: 1_800_000 },
  () => {
    const hidden = tree.names.filter((name) => {
      const symbol = tree.symbol(name);
      return (
        symbol !== undefined &&
        symbol.visibility === "n" &&
        symbol.value === "n" &&
        (symbol.type === "bool" || symbol.type === "tristate") &&
        symbol.definitions.some(({ prompt }) => prompt !== undefined)
      );
    });
    expect(hidden.length).toBeGreaterThan(10_000);
    let state = SEED;
    const draw = (): string => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return hidden[state % hidden.length] as string;
    };
    const before = tree.configText();
    for (let index = 0; index < COUNT; index++) {
      const name = draw();
      const explanation = explain(tree, name, "y");
      const text = formatExplanation(explanation);
      const { requires } = explanation;
      if (requires === undefined) throw new Error(`no way was found:\n${text}`);
      expect(requires.length, text).toBeGreaterThan(0);
      expect(worksWith(explanation, requires), text).toBe(true);
      for (const one of requires) {
        expect(
          worksWith(
            explanation,
            requires.filter((other) => other !== one),
          ),
          `without ${one.symbol}:\n${text}`,
        ).toBe(false);
      }
    }
    expect(tree.configText()).toBe(before);
  },
);
