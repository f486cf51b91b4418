/**
 * Every way to boot a machine from the network, each compared with what was served, with the seconds of its stages.
 *
 *   node e2e/soak/run-pxe-matrix.ts [--only WORDS] [--log DIR]
 * With --log the console of a boot that went wrong, and the frames of each on the virtual switch as pcap, go to DIR.
 *
 * Beside what tools/bootstrap brings it needs Debian's shim-signed and grub-efi-amd64-signed, for one cell.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CELLS } from "../lib/pxe-matrix/cells.ts";
import { makeMatrixGuest, type GuestArch, type MatrixGuest } from "../lib/pxe-matrix/guest.ts";
import { cellLine, TABLE_HEAD } from "../lib/pxe-matrix/report.ts";
import { runMatrixCell } from "../lib/pxe-matrix/run-matrix.ts";

const { values } = parseArgs({
  options: { only: { type: "string", default: "" }, log: { type: "string" } },
});
if (values.log !== undefined) await mkdir(values.log, { recursive: true });
const guests = new Map<GuestArch, MatrixGuest>();
async function guestOf(arch: GuestArch): Promise<MatrixGuest> {
  const guest = guests.get(arch) ?? (await makeMatrixGuest(arch));
  guests.set(arch, guest);
  return guest;
}
let wrong = 0;
const began = performance.now();
console.log(TABLE_HEAD);
for (const cell of CELLS.filter(({ name }) => name.includes(values.only))) {
  const arch = cell.machine.arch === "arm64" ? "arm64" : "x86_64";
  const name = cell.name.replaceAll(/\W+/g, "-");
  const capture = values.log === undefined ? undefined : join(values.log, `${name}.pcap`);
  const report = await runMatrixCell(cell, await guestOf(arch), capture);
  console.log(cellLine(report));
  for (const problem of report.problems) console.log(`         ${problem}`);
  if (report.problems.length > 0) wrong++;
  if (values.log !== undefined && report.log !== undefined)
    await writeFile(join(values.log, `${name}.log`), report.log);
}
for (const guest of guests.values()) await guest[Symbol.asyncDispose]();
const minutes = ((performance.now() - began) / 60_000).toFixed(1);
console.log(`${wrong === 0 ? "all as expected" : `${wrong} wrong`}, ${minutes} minutes`);
process.exitCode = wrong === 0 ? 0 : 1;
