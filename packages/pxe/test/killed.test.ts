/** The short version of killed/run-killed.ts. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { KillReport } from "./killed/trials.ts";
import { runInLab } from "./lab/run-in-lab.ts";

test(
  "a server that is killed under load loses no acknowledged lease and gives no address twice",
  { timeout: 90_000 },
  async () => {
    const script = fileURLToPath(new URL("killed/trials.ts", import.meta.url));
    const seed = process.env["FUZZ_SEED"] ?? "20261126";
    const result = await runInLab(script, ["5", seed], { timeoutSeconds: 80 });
    expect(result, result.stderr).toMatchObject({ status: 0 });
    const report = JSON.parse(result.stdout) as KillReport;
    console.log(result.stdout);
    expect(report.faults).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(500);
    expect(report.confirmed).toBeGreaterThan(500);
  },
);
