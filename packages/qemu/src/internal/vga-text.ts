import { readFile, rm } from "node:fs/promises";
import type { QmpClient } from "../qmp.ts";
import type { ScreenCell, ScreenCells } from "../screen-text.ts";
import { codePage437 } from "./code-page-437.ts";
import { frozen } from "./frozen.ts";
import { readRegisters } from "./vga-registers.ts";

// Index ports of the graphics controller and of the CRT controller (in colour).
const GRAPHICS = 0x3ce;
const CRT = 0x3d4;
/** Where the processor sees the characters and their colours, in turns. */
const WINDOW = { start: 0xb8000, size: 0x8000 };

/** The cells of a VGA card in text mode, all of one moment; undefined when it is in another mode. */
export function readVgaText(qmp: QmpClient, scratch: string): Promise<ScreenCells | undefined> {
  return frozen(qmp, async () => {
    const [mode = 0] = await readRegisters(qmp, GRAPHICS, [6]);
    // Bit 0: graphics; bits 2 and 3: the window that the mode uses.
    if ((mode & 0b1101) !== 0b1100) return undefined;
    const geometry = await readGeometry(qmp);
    return { ...geometry, cells: await readCells(qmp, scratch, geometry) };
  });
}

interface Geometry {
  readonly columns: number;
  readonly rows: number;
  /** Characters from one row to the next, and before the first: Linux scrolls by moving the start. */
  readonly pitch: number;
  readonly start: number;
  readonly cursor?: { readonly row: number; readonly column: number };
}

async function readGeometry(qmp: QmpClient): Promise<Geometry> {
  const numbers = [0x01, 0x07, 0x09, 0x0a, 0x0c, 0x0d, 0x0e, 0x0f, 0x12, 0x13];
  const values = await readRegisters(qmp, CRT, numbers);
  const register = (number: number): number => values[numbers.indexOf(number)] ?? 0;
  const columns = register(0x01) + 1;
  const overflow = register(0x07);
  const lines = (register(0x12) | ((overflow & 2) << 7) | ((overflow & 64) << 3)) + 1;
  const rows = Math.floor(lines / ((register(0x09) & 31) + 1));
  const pitch = register(0x13) * 2;
  const start = (register(0x0c) << 8) | register(0x0d);
  const position = ((register(0x0e) << 8) | register(0x0f)) - start;
  const cursor = { row: Math.floor(position / pitch), column: position % pitch };
  const shown = (register(0x0a) & 32) === 0 && position >= 0 && cursor.row < rows && cursor.column < columns;
  return { columns, rows, pitch, start, ...(shown ? { cursor } : {}) };
}

async function readCells(
  qmp: QmpClient,
  filename: string,
  { columns, rows, pitch, start }: Geometry,
): Promise<ScreenCell[][]> {
  const from = Math.min(start * 2, WINDOW.size);
  const size = Math.min(rows * pitch * 2, WINDOW.size - from);
  let memory = Buffer.alloc(0);
  try {
    await qmp.execute("pmemsave", { val: WINDOW.start + from, size, filename });
    memory = await readFile(filename);
  } finally {
    await rm(filename, { force: true });
  }
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => {
      const at = (row * pitch + column) * 2;
      const colours = memory[at + 1] ?? 0;
      return { char: codePage437(memory[at] ?? 0), foreground: colours & 15, background: colours >> 4 };
    }),
  );
}
