import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codePage437 } from "../src/internal/code-page-437.ts";
import { readGlyphs } from "../src/internal/glyph-text.ts";
import { kernelFont, type Font } from "../src/internal/kernel-font.ts";
import { cellsText } from "../src/screen-text.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";

let guest: Guest;
let font: Font;
let letters: ReadonlyMap<string, string>;
beforeAll(async () => {
  guest = await prepareGuest();
  font = (await kernelFont(guest.kernel)) ?? new Map<string, string>();
  letters = new Map(Array.from(font, ([rows, char]) => [char, rows]));
}, 180_000);
afterAll(() => guest.remove());

interface Painted {
  readonly char: string;
  readonly ink: number;
  readonly paper: number;
}

/** Draws cells as Linux's console does. */
function paint(cells: readonly (readonly Painted[])[]): { width: number; height: number; rgb: Buffer } {
  const [width, height] = [(cells[0]?.length ?? 0) * 8, cells.length * 16];
  const rgb = Buffer.alloc(width * height * 3);
  for (const [row, line] of cells.entries())
    for (const [column, { char, ink, paper }] of line.entries())
      for (let y = 0; y < 16; y += 1)
        for (let x = 0; x < 8; x += 1) {
          const bits = letters.get(char)?.charCodeAt(y) ?? 0;
          const colour = ((bits << x) & 0x80) > 0 ? ink : paper;
          rgb.writeUIntBE(colour, ((row * 16 + y) * width + column * 8 + x) * 3, 3);
        }
  return { width, height, rgb };
}

const GREY = 0xaaaaaa;
const white = (text: string, width: number): Painted[] =>
  Array.from(text.padEnd(width), (char) => ({ char, ink: GREY, paper: 0 }));

describe("a graphic console", () => {
  test("has each character of the code page, in any colour on any other", () => {
    expect(font.size).toBe(254);
    const cells = Array.from({ length: 20 }, (_, row) =>
      Array.from({ length: 64 }, (_unused, column): Painted => {
        const char = row < 16 ? " " : codePage437((row - 16) * 64 + column);
        const coloured = row >= 16 && column % 3 === 0;
        return { char, ink: coloured ? 0xffff55 : GREY, paper: coloured ? 0x0000aa : 0 };
      }),
    );
    const read = readGlyphs(paint(cells), font);
    for (const [row, line] of cells.entries())
      for (const [column, { char, ink, paper }] of line.entries()) {
        const found = read?.cells[row]?.[column];
        const where = `"${char}" at ${column},${row}`;
        if (char === "█") expect(found?.char, where).toBe(" ");
        // Halves of a cell: which of two colours is the paper cannot be seen, where neither is the screen's.
        else if (/[▀▄▌▐•◘○◙]/.test(char) && paper !== 0) expect("▀▄▌▐•◘○◙", where).toContain(found?.char);
        else {
          expect(found?.char, where).toBe(char === "\u00A0" ? " " : char);
          expect(found?.background, where).toBe(paper === 0 ? 0 : 1);
          if (found?.char !== " ") expect(found?.foreground, where).toBe(ink === GREY ? 7 : 14);
        }
      }
  });

  test("may have a cursor, and a logo, which is no text", () => {
    const picture = paint([white("", 20), white("login: _", 20), white("", 20), white("", 20)]);
    for (let x = 8 * 8; x < 9 * 8; x += 1)
      for (const y of [16 + 14, 16 + 15]) picture.rgb.writeUIntBE(GREY, (y * picture.width + x) * 3, 3);
    picture.rgb.fill(0x5a, 0, 3 * 11);
    const read = readGlyphs(picture, font);
    expect(read?.cursor).toEqual({ row: 1, column: 8 });
    expect(read && cellsText(read)).toBe("\uFFFD\uFFFD\nlogin: _");
  });

  test("is none where most of the picture is something else", () => {
    const picture = paint(Array.from({ length: 4 }, () => white("words", 20)));
    for (let at = 0; at < picture.rgb.length * 0.6; at += 1) picture.rgb[at] = (at * 31) & 0xff;
    expect(readGlyphs(picture, font)).toBeUndefined();
  });
});
