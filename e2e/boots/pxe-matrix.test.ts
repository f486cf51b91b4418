/** Two cells of the matrix of `e2e/soak/run-pxe-matrix.ts`: boot programs other than the script that pxe.test.ts boots by. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { CELLS } from "../lib/pxe-matrix/cells.ts";
import { makeMatrixGuest, type MatrixGuest } from "../lib/pxe-matrix/guest.ts";
import { runMatrixCell } from "../lib/pxe-matrix/run-matrix.ts";

let guest: MatrixGuest;
beforeAll(async () => {
  guest = await makeMatrixGuest();
});
afterAll(() => guest[Symbol.asyncDispose]());

test.each(["BIOS, lpxelinux.0, HTTP", "UEFI x64, HTTP boot, UKI"])("%s", async (name) => {
  const cell = CELLS.find((candidate) => candidate.name === name);
  if (!cell) throw new Error(`There is no cell "${name}"`);
  const { problems, log } = await runMatrixCell(cell, guest);
  expect(problems, log).toEqual([]);
});
