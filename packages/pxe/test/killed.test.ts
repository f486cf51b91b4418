/** The short version of killed/run-killed.ts. */
import { expect, test } from "vitest";
import type { KillReport } from "./killed/trials.ts";
import { lab } from "./lab/run-in-lab.ts";

test(
  "a server that is killed under load loses no acknowledged lease and gives no address twice",
  { timeout: 90_000 },
  async () => {
    const report = await lab<KillReport>(
      "../killed/trials.ts",
      ["5", process.env["FUZZ_SEED"] ?? "20261126"],
      80,
    );
    console.log(JSON.stringify(report));
    expect(report.faults).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(500);
    expect(report.confirmed).toBeGreaterThan(500);
  },
);
