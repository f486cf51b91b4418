/**
 * Reads the text in a picture of a VGA text screen (80 × 25 cells of 9 × 16 pixels): each cell is compared with the
 * font of the VGA BIOS that drew it, so a character is either read exactly or not at all.
 */
import { readFileSync } from "node:fs";
import type { Picture } from "./png.ts";

const vgaBios = "/usr/share/seabios/vgabios-stdvga.bin";
const cell = { width: 9, height: 16 };

/** The 16 rows of "A" in the 8 × 16 font of the VGA BIOS: where they stand, the font's table is. */
const letterA = Buffer.from("000010386cc6c6fec6c6c6c600000000", "hex");

function loadFont(): ReadonlyMap<string, string> {
  const rom = readFileSync(vgaBios);
  const table = rom.indexOf(letterA) - "A".charCodeAt(0) * cell.height;
  if (table < 0) throw new Error(`No 8 × 16 font in ${vgaBios}`);
  const font = new Map<string, string>();
  for (let code = 0x7e; code >= 0x20; code--) {
    const at = table + code * cell.height;
    font.set(rom.subarray(at, at + cell.height).toString("hex"), String.fromCharCode(code));
  }
  return font;
}

/** Lines of text; a cell that holds no known character is a blank. */
export function screenText(picture: Picture): readonly string[] {
  const font = loadFont();
  const lines: string[] = [];
  for (let row = 0; row < Math.floor(picture.height / cell.height); row++) {
    let line = "";
    for (let column = 0; column < Math.floor(picture.width / cell.width); column++)
      line += font.get(glyph(picture, row, column)) ?? " ";
    lines.push(line.trimEnd());
  }
  return lines;
}

function glyph(picture: Picture, row: number, column: number): string {
  const rows = Buffer.alloc(cell.height);
  for (let y = 0; y < cell.height; y++) {
    let bits = 0;
    for (let x = 0; x < 8; x++) {
      const at = (row * cell.height + y) * picture.width + column * cell.width + x;
      bits = (bits << 1) | ((picture.light[at] ?? 0) > 64 ? 1 : 0);
    }
    rows[y] = bits;
  }
  return rows.toString("hex");
}
