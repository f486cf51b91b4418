import type { ScreenCell, ScreenCells } from "../screen-text.ts";
import { GLYPH, type Font } from "./kernel-font.ts";
import type { Pixels } from "./pixels.ts";

/** What stands for a cell whose pixels are no letter of the font: a logo, a picture. */
const UNKNOWN = "\uFFFD";

/** A cell as its two colours and, for each row of pixels, a byte with the bits of the first colour. */
interface Drawing {
  readonly ink: number;
  readonly paper: number;
  readonly rows: Buffer;
}

/**
 * Reads the text of a graphic console out of its picture, whose cells are compared with the font's letters: a character is
 * read exactly or not at all. Undefined when most of the screen is no text.
 */
export function readGlyphs(picture: Pixels, font: Font): ScreenCells | undefined {
  const columns = Math.floor(picture.width / GLYPH.width);
  const rows = Math.floor(picture.height / GLYPH.height);
  const paper = mostCommon(picture);
  let cursor: ScreenCells["cursor"];
  let unknown = 0;
  const cells = Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column): ScreenCell => {
      const drawing = draw(picture, column * GLYPH.width, row * GLYPH.height, paper);
      const found = drawing && lookUp(drawing, font, paper);
      if (found?.cursor === true) cursor = { row, column };
      if (found !== undefined) return found.cell;
      unknown += 1;
      return { char: UNKNOWN, foreground: 7, background: 0 };
    }),
  );
  if (unknown * 2 > rows * columns) return undefined;
  return { columns, rows, cells, ...(cursor === undefined ? {} : { cursor }) };
}

/** Undefined where there are more than two colours. */
function draw(picture: Pixels, left: number, top: number, paper: number): Drawing | undefined {
  const rows = Buffer.alloc(GLYPH.height);
  const first = colourAt(picture, left, top);
  let second: number | undefined;
  for (let y = 0; y < GLYPH.height; y += 1) {
    for (let x = 0; x < GLYPH.width; x += 1) {
      const colour = colourAt(picture, left + x, top + y);
      if (colour === first) continue;
      second ??= colour;
      if (colour !== second) return undefined;
      rows[y] = (rows[y] ?? 0) | (0x80 >> x);
    }
  }
  const drawing = { ink: second ?? first, paper: first, rows };
  // The common colour of the screen is taken for the paper, whichever came first.
  return second === paper ? inverse(drawing) : drawing;
}

function inverse({ ink, paper, rows }: Drawing): Drawing {
  return { ink: paper, paper: ink, rows: Buffer.from(rows.map((row) => row ^ 0xff)) };
}

function lookUp(
  drawing: Drawing,
  font: Font,
  paper: number,
): { readonly cell: ScreenCell; readonly cursor: boolean } | undefined {
  const ways = drawing.paper === paper ? [drawing] : [drawing, inverse(drawing)];
  for (const cursor of [false, true]) {
    for (const way of ways) {
      const char = font.get((cursor ? withCursor(way.rows) : way.rows).toString("latin1"));
      if (char === undefined) continue;
      // A blank has no ink: it is as on a text screen, grey.
      const foreground = way.ink === way.paper ? 7 : pcColour(way.ink);
      return { cell: { char, foreground, background: pcColour(way.paper) }, cursor };
    }
  }
  return undefined;
}

/** Linux's cursor turns the two lowest rows around (drivers/video/fbdev/core/softcursor.c). */
function withCursor(rows: Buffer): Buffer {
  return Buffer.from(rows.map((row, y) => (y < GLYPH.height - 2 ? row : row ^ 0xff)));
}

function colourAt({ rgb, width }: Pixels, x: number, y: number): number {
  return rgb.readUIntBE((y * width + x) * 3, 3);
}

/** Of the cells' corners, which no letter reaches. */
function mostCommon(picture: Pixels): number {
  const counts = new Map<number, number>();
  for (let y = 0; y + GLYPH.height <= picture.height; y += GLYPH.height) {
    for (let x = 0; x + GLYPH.width <= picture.width; x += GLYPH.width) {
      const colour = colourAt(picture, x, y);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  }
  const [most] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [0];
  return most;
}

/** The nearest of a PC's 16 colours, whose bits are blue, green, red and brightness; dark yellow is brown. */
function pcColour(rgb: number): number {
  const channels = [rgb >> 16, (rgb >> 8) & 0xff, rgb & 0xff];
  const distance = (index: number): number => {
    const base = (index & 8) > 0 ? 0x55 : 0;
    const wanted = [4, 2, 1].map((bit) => ((index & bit) > 0 ? base + 0xaa : base));
    if (index === 6) wanted[1] = 0x55;
    return wanted.reduce((sum, level, channel) => sum + (level - (channels[channel] ?? 0)) ** 2, 0);
  };
  return Array.from({ length: 16 }, (_, index) => index).reduce((best, index) =>
    distance(index) < distance(best) ? index : best,
  );
}
