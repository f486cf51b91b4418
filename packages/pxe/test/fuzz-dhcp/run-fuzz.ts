/**
 * Damaged packets by the million, with an eye on the memory.
 *
 *   node --expose-gc packages/pxe/test/fuzz-dhcp/run-fuzz.ts [PACKETS [SEED]]
 */
import { randomInt } from "node:crypto";
import { engineFuzz } from "./engines.ts";

const packets = Number(process.argv[2] ?? 10_000_000);
const fuzz = engineFuzz(Number(process.argv[3] ?? randomInt(1, 1_000_000)));
const { gc } = globalThis;
if (!gc) throw new Error("run it with node --expose-gc");
const began = performance.now();
let largest = 0;
let first = 0;
for (let done = 0; done < packets;) {
  const part = Math.min(500_000, packets - done);
  fuzz.run(part);
  done += part;
  gc();
  const heap = process.memoryUsage().heapUsed;
  first ||= heap;
  largest = Math.max(largest, heap);
  const mebibytes = (heap / 1024 / 1024).toFixed(1);
  process.stderr.write(`${done} packets, heap ${mebibytes} MiB, holds ${fuzz.held().join(" ")}\n`);
}
const rss = process.resourceUsage().maxRSS / 1024;
const report = {
  seed: fuzz.seed,
  ...fuzz.counts,
  seconds: Math.round((performance.now() - began) / 1000),
  heapFirst: first,
  heapLargest: largest,
  peakMebibytes: Math.round(rss),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
// What a server may keep is bounded by its pool and its books.
if (largest > first + 8 * 1024 * 1024) {
  process.stderr.write("the heap has grown\n");
  process.exitCode = 1;
}
