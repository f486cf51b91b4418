/**
 * From start to the first reply of a program in the guest: of a copy of a booted guest, beside the same machine booted cold.
 *
 *   node packages/qemu/bench/snapshot.ts [--rounds 7] [--memory 256M] KERNEL
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { agentSegment, launch, snapshot, type MachineSpec, type Vm } from "../src/index.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, memory: { type: "string", default: "256M" } },
  allowPositionals: true,
});
const [kernel] = positionals;
if (kernel === undefined) throw new Error("Which kernel?");
const cacheDir = await mkdtemp(join(tmpdir(), "qemu-bench-"));
const spec: MachineSpec = {
  kernel,
  initrd: [await agentSegment()],
  cmdline: "console=ttyS0 rdinit=/agent",
  ports: ["agent"],
  memory: values.memory,
};

async function firstReply(start: () => Promise<Vm>): Promise<number> {
  const from = performance.now();
  await using vm = await start();
  const agent = await vm.agent();
  const [file] = await Array.fromAsync(agent.readFile("/proc/version"));
  if (file === undefined) throw new Error("no reply");
  return performance.now() - from;
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1] ?? 0;

try {
  // The first one unpacks the kernel and compiles the agent.
  await firstReply(() => launch(spec, { cacheDir }));
  const booted = await snapshot(spec, { cacheDir });
  const [cold, copies]: [number[], number[]] = [[], []];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    cold.push(await firstReply(() => launch(spec, { cacheDir })));
    copies.push(await firstReply(() => booted.clone()));
  }
  console.log(
    `cold ${median(cold).toFixed(0)} ms, copy ${median(copies).toFixed(0)} ms (medians of ${values.rounds})`,
  );
  console.log(`a copy answers ${(median(cold) / median(copies)).toFixed(1)} times as fast`);
} finally {
  await rm(cacheDir, { recursive: true, force: true });
}
