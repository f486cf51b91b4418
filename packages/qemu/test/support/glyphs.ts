import { expect } from "vitest";
import type { ScreenCells } from "../../src/index.ts";
import type { Picture } from "./png.ts";

/** A PC's 16 colours, as six bits a channel that QEMU makes eight of: a bit for blue, green, red, and for brightness. */
function colour(number: number): string {
  const bright = (number & 8) > 0;
  const channel = (bit: number): number => ((number & bit) > 0 ? (bright ? 0xff : 0xa8) : bright ? 0x57 : 0);
  return Buffer.of(channel(4), channel(2), channel(1)).toString("hex");
}

/**
 * Whether a picture shows those characters in those colours: equal characters look equal, different ones differ, and
 * no pixel is of another colour than its cell's two.
 */
export function checkGlyphs(picture: Picture, { cells, columns, rows, cursor }: ScreenCells): void {
  const [cellWidth, cellHeight] = [9, 16];
  expect([picture.width, picture.height]).toEqual([columns * cellWidth, rows * cellHeight]);
  const glyphOf = new Map<string, string>();
  const charOf = new Map<string, string>();
  for (const [row, line] of cells.entries()) {
    for (const [column, { char, foreground, background }] of line.entries()) {
      if (cursor?.row === row && cursor.column === column) continue;
      const pixel = { [colour(background)]: ".", [colour(foreground)]: "#" };
      let glyph = "";
      for (let y = 0; y < cellHeight; y += 1) {
        for (let x = 0; x < cellWidth; x += 1) {
          const at = ((row * cellHeight + y) * picture.width + column * cellWidth + x) * 3;
          glyph += pixel[picture.rgb.toString("hex", at, at + 3)] ?? "?";
        }
      }
      const where = `glyph of "${char}" at ${column},${row}`;
      expect(glyph, where).not.toContain("?");
      expect(glyphOf.get(char) ?? glyph, where).toBe(glyph);
      expect(charOf.get(glyph) ?? char, where).toBe(char);
      glyphOf.set(char, glyph);
      charOf.set(glyph, char);
    }
  }
  expect(glyphOf.size).toBeGreaterThan(50);
}
