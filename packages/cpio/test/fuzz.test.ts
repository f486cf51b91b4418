import { describe, expect, it } from "vitest";
import { kernelRound } from "./fuzz/kernel-round.ts";
import { strictRound } from "./fuzz/strict-round.ts";
import { FUZZ_SEED } from "./random.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 10_000);

const READERS = [
  {
    reader: "strict",
    run: strictRound,
    wanted: ["ok", "CPIO_HEADER", "CPIO_NAME", "CPIO_TRUNCATED", "CPIO_FOREIGN", "CPIO_CHECKSUM"],
  },
  {
    reader: "kernel",
    run: kernelRound,
    wanted: [
      "ok",
      "incomplete",
      "no cpio magic",
      "malformed archive",
      "bad data checksum",
      "damaged header",
      "toy error",
    ],
  },
] as const;

describe("fuzz", () => {
  it.each(READERS)(
    `$reader: nothing but CpioError on damaged archives (FUZZ_SEED=${FUZZ_SEED})`,
    async ({ run, wanted }) => {
      console.log(`FUZZ_SEED=${FUZZ_SEED} FUZZ_ROUNDS=${ROUNDS}`);
      const outcomes = new Map<string, number>();
      let slowest = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const started = performance.now();
        let outcome: string;
        try {
          outcome = await run(FUZZ_SEED + round);
        } catch (error) {
          throw new Error(`FUZZ_SEED=${FUZZ_SEED + round} FUZZ_ROUNDS=1: ${String(error)}`, { cause: error });
        }
        slowest = Math.max(slowest, performance.now() - started);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      console.log(Object.fromEntries(outcomes), `slowest ${slowest.toFixed(1)} ms`);
      for (const outcome of wanted) expect(outcomes.get(outcome), outcome).toBeGreaterThan(0);
      // A hang, not a busy machine.
      expect(slowest).toBeLessThan(10_000);
    },
    60_000,
  );
});
