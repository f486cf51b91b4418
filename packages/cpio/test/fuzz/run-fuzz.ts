/**
 * Fuzzes both readers for a time: `node --expose-gc test/fuzz/run-fuzz.ts --minutes N --seed S`.
 *
 * Each round must end in less than 5 seconds with nothing but a CpioError. Memory is judged in two ways. Every 2000
 * rounds big hostile images are read, the garbage is collected, and what a result keeps alive (heap and buffers,
 * without the image itself) may be no more than 6 times the image. And the most that the process ever took
 * (maxRSS) may be no more than 1 GiB.
 */
import { setImmediate } from "node:timers/promises";
import { parseArgs } from "node:util";
import { unpackAsKernel } from "../../src/index.ts";
import { DIR, entry, join, LNK } from "../kernel-cases/segment.ts";
import { kernelRound } from "./kernel-round.ts";
import { strictRound } from "./strict-round.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const minutes = Number(values.minutes ?? 1);
const first = Number(values.seed ?? Date.now() % 0x1_0000_0000);
const { gc } = globalThis as { readonly gc?: () => void };
if (gc === undefined || !(minutes > 0) || !Number.isSafeInteger(first)) {
  console.error("usage: node --expose-gc test/fuzz/run-fuzz.ts --minutes N --seed S");
  process.exit(2);
}

/** Images that want the most memory for their size: nothing but small entries. */
const HOSTILE: readonly ((index: number) => Uint8Array)[] = [
  (index) => entry({ name: `f${index}` }),
  (index) => entry({ name: `f${index}`, data: "x" }),
  (index) => entry({ name: `f${index}`, ino: index, nlink: 2 }),
  (index) => entry({ name: `d${index}`, mode: DIR | 0o755 }),
  (index) => entry({ name: `l${index}`, mode: LNK | 0o777, data: "t" }),
  () => entry({ name: "none/f" }),
];

function aliveBytes(): number {
  gc?.();
  gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function hostileImage(make: (index: number) => Uint8Array): Uint8Array {
  return join(...Array.from({ length: 20_000 }, (_, index) => make(index)));
}

/** How many times its size the result of reading an image keeps alive. */
async function memoryFactor(make: (index: number) => Uint8Array): Promise<number> {
  const image = hostileImage(make);
  // What made the image is no longer on the stack after this.
  await setImmediate();
  const before = aliveBytes();
  const result = unpackAsKernel(image, { kernel: "6.12", keepTimes: true });
  await setImmediate();
  const kept = aliveBytes() - before;
  if (result.tree.root.entries === undefined) throw new Error("A root that is no directory");
  return kept / image.length;
}

const outcomes = new Map<string, number>();
let slowest = 0;
let most = 0;
let round = 0;
const end = performance.now() + minutes * 60_000;
for (; performance.now() < end; round++) {
  const seed = first + round;
  const started = performance.now();
  try {
    for (const outcome of [await strictRound(seed), kernelRound(seed)]) {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  } catch (error) {
    throw new Error(`Seed ${seed} fails`, { cause: error });
  }
  const took = performance.now() - started;
  if (took > 5000) throw new Error(`Seed ${seed} takes ${Math.round(took)} ms`);
  slowest = Math.max(slowest, took);
  if (round % 2000 === 0) {
    for (const make of HOSTILE) most = Math.max(most, await memoryFactor(make));
  }
  if (most > 6) throw new Error(`Seed ${seed} keeps ${most.toFixed(1)} times its image in memory`);
}
const peak = process.resourceUsage().maxRSS / 1024;
console.log(Object.fromEntries([...outcomes].sort(([, one], [, other]) => other - one)));
console.log(
  `${round} rounds from seed ${first}, slowest ${slowest.toFixed(1)} ms, ` +
    `a hostile image keeps ${most.toFixed(2)} times its size, peak ${Math.round(peak)} MiB`,
);
if (peak > 1024) throw new Error("The process took more than 1 GiB");
