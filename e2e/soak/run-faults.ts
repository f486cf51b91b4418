/**
 * Every way to fail a boot, several times over, and what the runner makes of it.
 *
 *   node e2e/soak/run-faults.ts [--rounds 20] [--only WORDS]
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { prepareGuest } from "../../packages/qemu/test/support/guest.ts";
import { runFault } from "../lib/faults/fault.ts";
import { FAULTS } from "../lib/faults/all.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const scratch = await mkdtemp(join(tmpdir(), "faults-"));
const guest = await prepareGuest();
let wrong = 0;
try {
  for (const fault of FAULTS.filter(({ name }) => name.includes(values.only))) {
    const took: number[] = [];
    const panics: number[] = [];
    let right = 0;
    for (let round = 0; round < rounds; round += 1) {
      const { problems, seconds, panicMs } = await runFault(fault, { guest, scratch });
      took.push(seconds);
      if (panicMs !== undefined) panics.push(panicMs);
      if (problems.length === 0) right += 1;
      for (const problem of problems) console.log(`    ${problem}`);
    }
    wrong += rounds - right;
    const panic =
      panics.length === 0 ? "" : `, result ${Math.max(...panics).toFixed(0)} ms after the panic's line`;
    console.log(
      `${right === rounds ? "ok   " : "WRONG"} ${fault.name}: ${right} of ${rounds}, ${Math.max(...took).toFixed(1)} s${panic}`,
    );
  }
} finally {
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
}
console.log(wrong === 0 ? "all as expected" : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
