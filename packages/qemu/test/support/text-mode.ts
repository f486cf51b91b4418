import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { QmpClient } from "../../src/index.ts";

/** The characters of a VGA text screen, 25 rows of 80, read from the card's memory of a machine that stands still. */
export async function readScreenCells(qmp: QmpClient, scratch: string): Promise<string[][]> {
  const file = join(scratch, "vga.bin");
  await qmp.execute("pmemsave", { val: 0xb8000, size: 0x8000, filename: file });
  const memory = await readFile(file);
  // The CRT controller's start address, in characters: the console moves it instead of the text.
  const start = ((await crtc(qmp, 0x0c)) << 8) | (await crtc(qmp, 0x0d));
  return Array.from({ length: 25 }, (_, row) =>
    Array.from({ length: 80 }, (_, column) => {
      const code = memory[((start + row * 80 + column) * 2) % memory.length] ?? 0;
      return code === 0 ? " " : String.fromCodePoint(code);
    }),
  );
}

async function crtc(qmp: QmpClient, register: number): Promise<number> {
  await qmp.execute("human-monitor-command", { "command-line": `o/b 0x3d4 ${register}` });
  const answer = await qmp.execute("human-monitor-command", { "command-line": "i/b 0x3d5" });
  return Number(/= (0x[0-9a-f]+)/.exec(answer)?.[1] ?? Number.NaN);
}
