/** Goes through cases in batches and tells of those that differ. */
import type { Reference } from "../reference/parity.ts";
import { generateCase } from "./case.ts";
import type { FuzzCase } from "./case.ts";
import { reportOf } from "./report.ts";
import { Runner, differencesOf } from "./run-case.ts";
import type { RunPair } from "./run-case.ts";
import { shrink } from "./shrink.ts";

export interface FuzzRequest {
  readonly seed: number;
  /** Which cases of the seed: every `step`th from `first` up to `end`. */
  readonly indexes: { readonly first: number; readonly step: number; readonly end: number };
  /** How many differences are enough. */
  readonly stop: number;
  readonly report: (text: string) => void;
  readonly progress?: ((done: number, differences: number, without: number) => void) | undefined;
}

export interface FuzzTotal {
  readonly cases: number;
  readonly differences: number;
  readonly withoutVerdict: number;
}

const BATCH = 40;

export function fuzz(
  reference: Reference,
  { seed, indexes, stop, report, progress }: FuzzRequest,
): FuzzTotal {
  const runner = new Runner(reference);
  const { generation } = reference.dialect;
  let cases = 0;
  let differences = 0;
  let withoutVerdict = 0;
  const take = (one: FuzzCase, pairs: readonly RunPair[]): void => {
    cases++;
    const differs = pairs.some((pair) => differencesOf(pair).length > 0);
    const sound = !differs || runner.differs(one);
    if (!sound || pairs.some(({ theirs }) => theirs === undefined)) withoutVerdict++;
    if (!differs || !sound) return;
    differences++;
    const small = shrink(runner, one);
    report(`seed ${seed}, ${reportOf(small, runner.run([small])[0] ?? [])}`);
  };
  try {
    let index = indexes.first;
    const goesOn = (): boolean => index < indexes.end && differences < stop;
    while (goesOn()) {
      const batch: FuzzCase[] = [];
      for (; batch.length < BATCH && index < indexes.end; index += indexes.step) {
        batch.push(generateCase(seed, index, generation));
      }
      const results = runner.run(batch);
      for (const [number, one] of batch.entries()) if (differences < stop) take(one, results[number] ?? []);
      progress?.(cases, differences, withoutVerdict);
    }
  } finally {
    runner.close();
  }
  return { cases, differences, withoutVerdict };
}
