import { QemuError } from "../errors.ts";
import type { Machine } from "../machine.ts";
import type { QmpClient } from "../qmp.ts";
import type { ScreenCells } from "../screen-text.ts";
import { frozen } from "./frozen.ts";
import { readGlyphs } from "./glyph-text.ts";
import { kernelFont, type Font } from "./kernel-font.ts";
import { parsePpm } from "./pixels.ts";
import { readVgaText } from "./vga-text.ts";

/** Reads a machine's screen, as characters; one call after the other, since each holds the guest for a moment. */
export function cellReader(
  qmp: QmpClient,
  { arch, kernel }: Pick<Machine, "arch" | "kernel">,
  scratchFile: () => Promise<string>,
  capture: () => Promise<Buffer>,
): () => Promise<ScreenCells> {
  let font: Promise<Font | undefined> | undefined;
  let before: Promise<unknown> = Promise.resolve();

  const read = async (): Promise<ScreenCells> => {
    const memory = await scratchFile();
    const cells = arch === "x86_64" ? await readVgaText(qmp, memory) : undefined;
    if (cells !== undefined) return cells;
    // The picture first: at the machine's end there is no time to unpack a kernel before.
    const picture = parsePpm(await frozen(qmp, capture));
    font ??= kernel === undefined ? Promise.resolve(undefined) : kernelFont(kernel);
    const letters = await font;
    const found = letters && readGlyphs(picture, letters);
    if (found !== undefined) return found;
    throw new QemuError(
      "QEMU_NO_TEXT",
      "The screen is in a graphic mode and shows no text that can be read",
      {
        hint:
          letters === undefined
            ? 'Text there is read by the kernel\'s own letters: give "kernel", with CONFIG_FONT_8x16=y'
            : "Take a picture instead",
      },
    );
  };

  return () => {
    const cells = before.then(read);
    before = cells.catch(() => undefined);
    return cells;
  };
}
