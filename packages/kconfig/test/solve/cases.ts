/** Cases of a seed, solved and judged one after the other. */
import { solve } from "../../src/index.ts";
import type { ConfigRequest, Solved, Unsolvable } from "../../src/index.ts";
import { caseSeed } from "../fuzz/random.ts";
import { drawRequirements, poolOf } from "./draw.ts";
import { coreFaults, faultsOf } from "./verify.ts";
import type { Judge } from "./verify.ts";

export interface JudgedCase {
  readonly number: number;
  readonly requirements: readonly ConfigRequest[];
  readonly result: Solved | Unsolvable;
  readonly milliseconds: number;
  readonly faults: readonly string[];
}

export async function* runCases(judge: Judge, count: number, seed: number): AsyncGenerator<JudgedCase> {
  const { tree } = judge.loaded;
  // What is made once for a tree.
  await solve(tree, []);
  const pool = poolOf(tree);
  for (let number = 0; number < count; number++) {
    const one = caseSeed(seed, number);
    const requirements = drawRequirements(pool, one);
    const started = performance.now();
    const result = await solve(tree, requirements);
    const milliseconds = performance.now() - started;
    const faults =
      result.kind === "solved" ? faultsOf(result, requirements, judge) : await coreFaults(result, judge, one);
    yield { number, requirements, result, milliseconds, faults };
  }
}
