/** The engines in virtual time; test/simulator/run-simulator.ts does the same at full length. */
import { expect, test } from "vitest";
import { herdCase, kernelCase, transferCase } from "./simulator/cases.ts";
import { simulateHerd } from "./simulator/herd.ts";
import { simulateLarge } from "./simulator/large.ts";
import { simulateTransfer } from "./simulator/transfer.ts";

test("1,000 seeded transfers with 5 % loss, reordering and duplicates: all complete and byte-exact", async () => {
  let lost = 0;
  for (let seed = 1; seed <= 1000; seed++) {
    const one = transferCase(seed);
    const { outcome, exact, bytes, left, ...report } = await simulateTransfer(one);
    expect({ seed, outcome, exact, bytes, left }).toEqual({
      seed,
      outcome: "complete",
      exact: true,
      bytes: one.size,
      left: 0,
    });
    lost += report.lost;
  }
  expect(lost).toBeGreaterThan(3000);
});

test("the same seed gives the same run, to the datagram", async () => {
  const one = { ...transferCase(7), size: 100_000 };
  expect(await simulateTransfer(one)).toEqual(await simulateTransfer(one));
});

test("a kernel of 14 MB in lock-step is at most 2.5 times slower with 0.5 % loss each way", async () => {
  const clean = await simulateTransfer(kernelCase(0));
  const lossy = await simulateTransfer(kernelCase(0.005));
  expect([clean.exact, lossy.exact, lossy.outcome]).toEqual([true, true, "complete"]);
  expect(lossy.lost).toBeGreaterThan(50);
  expect(lossy.milliseconds / clean.milliseconds).toBeLessThan(2.5);
});

test.each([
  [512, 1],
  [1468, 16],
])("blocks of %i in windows of %i arrive whole beyond block 65535", (blksize, windowsize) => {
  const size = 66_000 * blksize + 5;
  const report = simulateLarge({ seed: 3, size, blksize, windowsize, lossEvery: 2000 });
  expect(report).toMatchObject({ outcome: "complete", exact: true, bytes: size });
  expect(report.retransmissions).toBeGreaterThan(0);
});

test.each([
  ["a port per transfer", false],
  ["a single port", true],
])("150 machines switched on at once all get an address and their file: %s", async (_, singlePort) => {
  const report = await simulateHerd(herdCase(150, 100_000, singlePort));
  expect(report).toMatchObject({ complete: 150, exact: 150, addresses: 150, left: 0 });
  expect(report.most).toBeGreaterThan(50);
});
