import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { QemuError } from "../errors.ts";
import { writeApng } from "./apng.ts";
import type { FilmSink } from "./film-sink.ts";
import { openSpool } from "./film-spool.ts";
import { isNotice } from "./notice.ts";
import { createPalette } from "./palette.ts";
import { encodeLines } from "./scanlines.ts";
import { blackPicture, changedRows, onCanvas, parsePpm, type Pixels } from "./pixels.ts";

/**
 * Pictures as one animated PNG, which is there when it is complete. While the film is taken the changes wait on the disk;
 * of the pictures only the last is in memory. A screen that changes its size is shown at the top left of the largest.
 */
export async function animationSink(path: string): Promise<FilmSink> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${process.pid}.part`;
  const spool = await openSpool(part);
  const palette = createPalette();
  let frames = 0;
  let last = blackPicture(0, 0);
  let notice: { readonly picture: Pixels; readonly at: number } | undefined;

  const keep = async (picture: Pixels, at: number): Promise<boolean> => {
    const width = Math.max(picture.width, last.width);
    const height = Math.max(picture.height, last.height);
    const next = onCanvas(picture, width, height);
    const change = frames === 0 ? { top: 0, rows: height } : changedRows(onCanvas(last, width, height), next);
    last = next;
    if (change === undefined) return false;
    const { top, rows } = change;
    const rgb = next.rgb.subarray(top * width * 3, (top + rows) * width * 3);
    const pixels = palette.indexed(rgb) ?? rgb;
    const { depth } = palette;
    await spool.add({ at, width, top, rows, depth, data: await encodeLines(pixels, width, depth) });
    frames += 1;
    return true;
  };

  const write = async (end: number): Promise<void> => {
    if (frames === 0 && notice !== undefined) await keep(notice.picture, notice.at);
    if (frames === 0)
      throw new QemuError(
        "QEMU_NO_SCREEN",
        `QEMU ended before a picture for the film "${path}" could be taken`,
      );
    const { width, height } = last;
    const { colours, depth } = palette;
    try {
      await writeApng(part, { width, height, frames, end, colours, depth }, spool.read());
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  };

  return {
    path,
    format: "ppm",
    add: async (file, at) => {
      const picture = parsePpm(file);
      if (frames > 0) return keep(picture, at);
      if (isNotice(picture)) {
        const kept = notice === undefined;
        notice ??= { picture, at };
        return kept;
      }
      // Until the guest has a picture the film is black, in the size of that.
      if (notice !== undefined) await keep(blackPicture(picture.width, picture.height), notice.at);
      return keep(picture, at);
    },
    finish: async (end) => {
      try {
        await write(end);
      } finally {
        await spool.close();
      }
    },
  };
}
