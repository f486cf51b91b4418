/** One cell of the matrix of `e2e/soak/run-pxe-matrix.ts`: what a UEFI machine does by default. */
import { expect, test } from "vitest";
import { CELLS } from "../lib/pxe-matrix/cells.ts";
import { makeMatrixGuest } from "../lib/pxe-matrix/guest.ts";
import { runMatrixCell } from "../lib/pxe-matrix/run-matrix.ts";

test("a UEFI machine boots by HTTP into an image made for it, and finds what was served", async () => {
  const cell = CELLS.find(({ name }) => name === "UEFI x64, HTTP boot, UKI");
  if (!cell) throw new Error("The matrix has no such cell");
  await using guest = await makeMatrixGuest();
  const { problems, log } = await runMatrixCell(cell, guest);
  expect(problems, log).toEqual([]);
});
