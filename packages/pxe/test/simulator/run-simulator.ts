/**
 * The long runs of the simulator; each prints what it did, and fails when something did not arrive whole.
 *
 *   node packages/pxe/test/simulator/run-simulator.ts [transfers [COUNT [SEED]] | kernel | large [BYTES] | herd [MACHINES]]
 *
 * Without a word: all four.
 */
import { BAD_WEATHER, herdCase, kernelCase, transferCase } from "./cases.ts";
import { simulateHerd } from "./herd.ts";
import { simulateLarge } from "./large.ts";
import { simulateTransfer } from "./transfer.ts";

const [what, first, second] = process.argv.slice(2);
const print = (text: string): boolean => process.stdout.write(`${text}\n`);
const fail = (text: string): void => {
  print(`FAILED: ${text}`);
  process.exitCode = 1;
};
const seconds = (since: number): string => `${((performance.now() - since) / 1000).toFixed(1)} s`;

async function transfers(count: number, seed: number): Promise<void> {
  const began = performance.now();
  let [complete, datagrams, lost, unconfirmed] = [0, 0, 0, 0];
  for (let index = 0; index < count; index++) {
    const one = transferCase(seed + index);
    const report = await simulateTransfer(one);
    datagrams += report.datagrams;
    lost += report.lost;
    if (report.outcome === "complete" && report.exact && report.bytes === one.size) complete++;
    else
      fail(
        `seed ${one.seed}: ${report.outcome} ${report.detail ?? ""}, ${report.bytes} of ${one.size} bytes`,
      );
    if (report.left > 0) fail(`seed ${one.seed}: ${report.left} transfers left on the server`);
    // The last ACK of a client that left was lost: the file is there, but the server can't know.
    if (report.events.some((event) => event.kind === "tftp" && event.outcome === "failed")) unconfirmed++;
  }
  const { loss, duplicate, reorder } = BAD_WEATHER;
  print(
    `transfers: ${complete} of ${count} complete and byte-exact (seeds ${seed} to ${seed + count - 1}), ` +
      `loss ${loss}, duplicates ${duplicate}, reordering ${reorder}; ${datagrams} datagrams, ${lost} lost; ` +
      `${unconfirmed} whose end the server did not hear of; ${seconds(began)}`,
  );
}

async function kernel(): Promise<void> {
  const clean = await simulateTransfer(kernelCase(0));
  const lossy = await simulateTransfer(kernelCase(0.005));
  const ratio = lossy.milliseconds / clean.milliseconds;
  print(
    `kernel of 14 MB, lock-step, round trip 0.2 ms: ${clean.milliseconds.toFixed(0)} ms without loss, ` +
      `${lossy.milliseconds.toFixed(0)} ms with 0.5 % each way (${lossy.lost} lost), ratio ${ratio.toFixed(2)}`,
  );
  if (!clean.exact || !lossy.exact || lossy.outcome !== "complete" || ratio > 2.5) fail("kernel");
}

function large(size: number): void {
  for (const [blksize, windowsize] of [
    [512, 1],
    [1024, 4],
    [1468, 16],
  ] as const) {
    const began = performance.now();
    const report = simulateLarge({ seed: 4, size, blksize, windowsize, lossEvery: 10_000 });
    print(
      `large: ${report.bytes} bytes at blksize ${blksize}, windowsize ${windowsize}: ${report.outcome}, ` +
        `${report.exact ? "byte-exact" : "DAMAGED"}, ${report.blocks} blocks (${Math.floor(report.blocks / 65_536)} roll-overs), ` +
        `${report.retransmissions} time-outs; ${seconds(began)}`,
    );
    if (report.outcome !== "complete" || !report.exact || report.bytes !== size) fail("large");
  }
}

async function herd(machines: number): Promise<void> {
  for (const singlePort of [false, true]) {
    const began = performance.now();
    const one = herdCase(machines, 1 << 20, singlePort);
    const report = await simulateHerd(one);
    const [firstAt, median, last] = report.milliseconds.map((time) => (time / 1000).toFixed(2));
    print(
      `herd of ${machines}${singlePort ? ", single port" : ""}: ${report.complete} have ${one.size} bytes, ${report.exact} byte-exact, ` +
        `${report.addresses} addresses; first after ${firstAt} s, median ${median} s, last ${last} s; ` +
        `${report.most} transfers at most at a time; ${report.events} events; ${seconds(began)}`,
    );
    if (report.exact !== machines || report.addresses !== machines || report.left > 0) fail("herd");
  }
}

if (what === undefined || what === "transfers") await transfers(Number(first ?? 10_000), Number(second ?? 1));
if (what === undefined || what === "kernel") await kernel();
if (what === undefined || what === "large") large(Number(what ? (first ?? 2 ** 32) : 2 ** 32));
if (what === undefined || what === "herd") await herd(Number(what ? (first ?? 1000) : 1000));
