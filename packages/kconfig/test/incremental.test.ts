import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineOf } from "../src/tree.ts";
import { loadX86Tree } from "./reference/loaded-tree.ts";

const SEED = 20261124;

// One symbol after the other is set; what follows from that alone must be what working out everything gives.
test.each(["6.1", "6.12"] as const)(
  `values after single changes are those of a whole evaluation, Linux %s (seed ${SEED})`,
  { timeout: 300_000 },
  async (series) => {
    const { tree, directory } = await loadX86Tree(series);
    tree.load(readFileSync(join(directory, "arch/x86/configs/x86_64_defconfig"), "utf8"));
    let state = SEED;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 12; round++) {
      for (let changes = 0; changes < 25;) {
        const symbol = tree.symbol(tree.names[random(tree.names.length)] as string);
        const value = symbol?.assignable[random(symbol.assignable.length)];
        if (symbol === undefined || value === undefined) continue;
        // Of a choice only one can be y; the others are not for the user to say.
        if (symbol.choice !== undefined && value !== "y") continue;
        tree.set(symbol.name, value);
        expect(tree.value(symbol.name), symbol.name).toBe(value);
        changes++;
      }
      const text = tree.configText();
      engineOf(tree).evaluator.forget();
      expect(tree.configText()).toBe(text);
    }
  },
);
