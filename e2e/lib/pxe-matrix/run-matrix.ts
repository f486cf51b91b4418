import { fileURLToPath } from "node:url";
import { runInLab } from "../../../packages/pxe/test/lab/run-in-lab.ts";
import type { Cell } from "./cells.ts";
import type { MatrixGuest } from "./guest.ts";
import type { CellReport } from "./report.ts";
import { runOnWire, runTwoGuests } from "./run-cell.ts";

/** Runs a cell where it belongs. */
export async function runMatrixCell(cell: Cell, guest: MatrixGuest, capture?: string): Promise<CellReport> {
  if (cell.place === "wire") return runOnWire(cell, guest, capture);
  if (cell.place === "guest") return runTwoGuests(cell, guest);
  const script = fileURLToPath(new URL("in-lab.ts", import.meta.url));
  const { status, stdout, stderr } = await runInLab(script, [cell.name, JSON.stringify(guest)], {
    timeoutSeconds: 300,
  });
  if (status !== 0) throw new Error(`${cell.name} ended with ${status}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as CellReport;
}
