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
import { type Fault, makeBench, runFault } from "../lib/faults/fault.ts";
import { FAULTS } from "../lib/faults/all.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "20" }, only: { type: "string", default: "" } },
});
const rounds = Number(values.rounds);
const scratch = await mkdtemp(join(tmpdir(), "faults-"));
const guest = await prepareGuest();
const bench = await makeBench(guest, scratch);
/** Most only wait for a limit to pass. */
const AT_ONCE = 3;
let wrong = 0;

async function repeat(fault: Fault): Promise<void> {
  const took: number[] = [];
  const panics: number[] = [];
  const problems: string[] = [];
  let right = 0;
  for (let round = 0; round < rounds; round += 1) {
    const verdict = await runFault(fault, bench);
    took.push(verdict.seconds);
    if (verdict.panicMs !== undefined) panics.push(verdict.panicMs);
    if (verdict.problems.length === 0) right += 1;
    problems.push(...verdict.problems);
  }
  wrong += rounds - right;
  const panic =
    panics.length === 0 ? "" : `, result at most ${Math.max(...panics).toFixed(0)} ms after the panic's line`;
  console.log(
    `${right === rounds ? "ok   " : "WRONG"} ${fault.name}: ${right} of ${rounds}, at most ${Math.max(...took).toFixed(1)} s${panic}`,
  );
  for (const problem of problems) console.log(`    ${problem}`);
}

try {
  const waiting = FAULTS.filter(({ name }) => name.includes(values.only));
  const worker = async (): Promise<void> => {
    for (let fault = waiting.shift(); fault !== undefined; fault = waiting.shift()) await repeat(fault);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
} finally {
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
}
console.log(wrong === 0 ? "all as expected" : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
