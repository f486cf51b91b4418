/**
 * Damaged TFTP packets by the million, with an eye on memory.
 *
 *   node --expose-gc packages/pxe/test/tftp/run-fuzz.ts [PACKETS [SEED]]
 */
import { fuzzTftp } from "./fuzz-tftp.ts";

const count = Number(process.argv[2] ?? 10_000_000);
const began = performance.now();
const heaps: number[] = [];
const report = await fuzzTftp(count, {
  ...(process.argv[3] === undefined ? {} : { seed: Number(process.argv[3]) }),
  every: Math.ceil(count / 10),
  watch(packets) {
    globalThis.gc?.();
    const { heapUsed, rss } = process.memoryUsage();
    heaps.push(heapUsed);
    const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(0)} MiB`;
    process.stdout.write(`${packets} packets: ${mib(heapUsed)} in use, ${mib(rss)} resident\n`);
  },
});
process.stdout.write(`${JSON.stringify(report)} in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
const growth = (heaps.at(-1) ?? 0) - (heaps[0] ?? 0);
if (report.left > 0 || growth > 8 * 1024 * 1024) {
  process.stdout.write(`FAILED: ${report.left} transfers left, memory grew by ${growth} bytes\n`);
  process.exitCode = 1;
}
