/**
 * Kills a server under load many times: no acknowledged lease may be lost and no address be given twice.
 *
 *   node packages/pxe/test/killed/run-killed.ts [TRIALS [SEED]]
 */
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { runInLab } from "../lab/run-in-lab.ts";
import type { KillReport } from "./trials.ts";

const trials = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? randomInt(1, 1_000_000));
const script = fileURLToPath(new URL("trials.ts", import.meta.url));
const result = await runInLab(script, [String(trials), String(seed)], {
  timeoutSeconds: 60 + trials * 10,
  onStderr: (text) => process.stderr.write(text),
});
process.stdout.write(result.stdout);
if (result.status === 0) {
  const { faults } = JSON.parse(result.stdout) as KillReport;
  process.exitCode = faults.length > 0 ? 1 : 0;
} else process.exitCode = 1;
