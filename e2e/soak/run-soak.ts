/**
 * The same boot again and again, many at once, and ended by SIGKILL at random moments.
 *
 *   node e2e/soak/run-soak.ts [--boots 300] [--parallel 16] [--kills 50] [--seed 1]
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createRandom } from "../../packages/qemu/src/internal/random.ts";
import { appliance, marked, type Run, start } from "../lib/command.ts";

const { values } = parseArgs({
  options: {
    boots: { type: "string", default: "300" },
    parallel: { type: "string", default: "16" },
    kills: { type: "string", default: "50" },
    seed: { type: "string", default: "1" },
  },
});
const HELLO = ["run", "examples/hello"] as const;
let wrong = 0;

function judge(run: Run, what: string): void {
  const right = run.exitCode === 0 && /^Hello from hello, running Linux [\d.]+ on x86_64\n$/.test(run.stdout);
  if (right && run.left.length === 0) return;
  wrong += 1;
  console.log(`WRONG ${what}: exit ${run.exitCode}, left ${run.left.length}\n${run.stdout}${run.stderr}`);
}

// What is built is built before.
judge(await appliance([...HELLO]), "the first boot");

const seconds: number[] = [];
for (let boot = 1; boot <= Number(values.boots); boot += 1) {
  const run = await appliance([...HELLO]);
  judge(run, `boot ${boot}`);
  seconds.push(run.seconds);
  if (boot % 50 === 0) console.log(`${boot} boots, ${wrong} wrong`);
}
if (seconds.length > 0) {
  const [least, median, most] = [0, 0.5, 1].map(
    (at) => seconds.toSorted((a, b) => a - b)[Math.floor(at * (seconds.length - 1))] ?? 0,
  );
  console.log(
    `${seconds.length} boots one after the other: ${[least, median, most].map((s) => s?.toFixed(1)).join(", ")} s (least, median, most)`,
  );
}

const together = await Promise.all(
  Array.from({ length: Number(values.parallel) }, () => appliance([...HELLO])),
);
together.forEach((run, index) => judge(run, `machine ${index + 1} of ${together.length} at once`));
console.log(`${together.length} machines at once`);

const next = createRandom(Number(values.seed));
for (let kill = 1; kill <= Number(values.kills); kill += 1) {
  const started = start([...HELLO]);
  const moment = Math.round(next() * 2500);
  await sleep(moment);
  started.child.kill("SIGKILL");
  await sleep(2000);
  const left = marked(started.id);
  if (left.length === 0) continue;
  wrong += 1;
  console.log(`WRONG killed after ${moment} ms, alive 2 s later:\n  ${left.join("\n  ")}`);
}
console.log(`killed at ${values.kills} moments`);
console.log(wrong === 0 ? "all as expected" : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;
