import { expect, test } from "vitest";
import { exhaust } from "./exhaustive.ts";

// The same each time, so that a failure is of a change; run-exhaustive.ts takes any other.
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const TREES = 60;

test.for([1, 2, 3] as const)(
  "generation %i: of all configurations of generated trees the least is found, and the shortest lines",
  { timeout: 300_000 },
  async (generation) => {
    const total = { trees: 0, solved: 0, unsolvable: 0 };
    for (let index = 0; index < TREES; index++) {
      const { skipped, solved, unsolvable, faults, files } = await exhaust(SEED, index, generation);
      expect(faults, `tree ${index}: ${JSON.stringify(files, null, 1)}`).toEqual([]);
      if (skipped !== undefined) continue;
      total.trees++;
      total.solved += solved;
      total.unsolvable += unsolvable;
    }
    expect(total.trees).toBeGreaterThan(TREES / 4);
    expect(total.solved).toBeGreaterThan(30);
    expect(total.unsolvable).toBeGreaterThan(30);
  },
);
