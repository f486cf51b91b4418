import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { unpackVmlinux } from "../vmlinux.ts";
import { codePage437 } from "./code-page-437.ts";

/** What a letter's pixels are, row by row, and the character that they show. */
export type Font = ReadonlyMap<string, string>;

export const GLYPH = { width: 8, height: 16 };

/** "A" in the kernel's 8 × 16 font, lib/fonts/font_8x16.c: where its rows are, the font is. */
const LETTER_A = Buffer.from("000010386cc6c6fec6c6c6c600000000", "hex");

/**
 * The font with which a kernel writes on a graphic screen, out of the kernel itself (CONFIG_FONT_8x16); undefined when it
 * is not found there.
 */
export async function kernelFont(path: string): Promise<Font | undefined> {
  const file = await readFile(path);
  // An Image of arm64 or riscv64 may be compressed as a whole.
  const image = file.readUInt16BE(0) === 0x1f8b ? await promisify(gunzip)(file) : file;
  return fontIn(Buffer.from((await unpackVmlinux(image)) ?? image));
}

function fontIn(image: Buffer): Font | undefined {
  const start = image.indexOf(LETTER_A) - 0x41 * GLYPH.height;
  if (start < 0) return undefined;
  const font = new Map<string, string>();
  // A blank is shown for three bytes of the code page; the space counts.
  for (const code of [0x20, ...Array.from({ length: 256 }, (_, index) => index)]) {
    const at = start + code * GLYPH.height;
    const rows = image.toString("latin1", at, at + GLYPH.height);
    if (!font.has(rows)) font.set(rows, codePage437(code));
  }
  return font;
}
