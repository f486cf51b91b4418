import { open } from "node:fs/promises";
import type { Strip } from "./film-spool.ts";
import { unindexed } from "./palette.ts";
import { PNG_SIGNATURE, pngChunk } from "./png-chunk.ts";
import { decodeLines, encodeLines, type Depth } from "./scanlines.ts";

/** What is written at once. */
const BLOCK = 256 * 1024;

/** What must be known before the first picture can be written. */
export interface Animation {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Milliseconds, on the strips' clock, at which the last picture was gone. */
  readonly end: number;
  readonly depth: Depth;
  /** The palette, 0xRRGGBB; with a depth of 24 that of the strips that are less deep. */
  readonly colours: readonly number[];
}

/**
 * Writes an animated PNG that is played once and then shows its last picture (PNG specification, third edition). Each
 * frame is the rows that changed. One frame is in memory.
 */
export async function writeApng(
  path: string,
  animation: Animation,
  strips: AsyncIterable<Strip>,
): Promise<void> {
  const { width, height, frames, colours, depth } = animation;
  const kind = depth === 24 ? Buffer.of(8, 2, 0, 0, 0) : Buffer.of(depth, 3, 0, 0, 0);
  const palette = colours.map((colour) => words(colour).subarray(1));
  const file = await open(path, "w");
  let [waiting, size] = [[] as Uint8Array[], 0];
  // Under load it is each trip to the disk that takes time.
  const write = async (bytes: Uint8Array, least = BLOCK): Promise<void> => {
    waiting.push(bytes);
    size += bytes.length;
    if (size < least) return;
    await file.appendFile(Buffer.concat(waiting));
    [waiting, size] = [[], 0];
  };
  try {
    await write(PNG_SIGNATURE);
    await write(pngChunk("IHDR", words(width, height), kind));
    if (depth !== 24) await write(pngChunk("PLTE", ...palette));
    await write(pngChunk("acTL", words(frames, 1)));
    const frame = frameEncoder(animation);
    let strip: Strip | undefined;
    for await (const next of strips) {
      if (strip !== undefined) await write(await frame(strip, next.at));
      strip = next;
    }
    if (strip !== undefined) await write(await frame(strip, animation.end));
    await write(pngChunk("IEND"), 0);
  } finally {
    await file.close();
  }
}

/** Frames are numbered together with the pieces of their data. The first is the whole picture and a PNG of its own. */
function frameEncoder(animation: Animation): (strip: Strip, until: number) => Promise<Buffer> {
  let sequence = 0;
  return async (strip, until) => {
    const first = sequence === 0;
    const { width, height: rows } = first ? animation : { width: strip.width, height: strip.rows };
    const same = strip.depth === animation.depth && width === strip.width && rows === strip.rows;
    const data = same ? strip.data : await encodeAgain(strip, width, rows, animation);
    const control = [words(sequence, width, rows, 0, strip.top), delay(until - strip.at), Buffer.of(0, 0)];
    const body = first ? pngChunk("IDAT", data) : pngChunk("fdAT", words(sequence + 1), data);
    const frame = Buffer.concat([pngChunk("fcTL", ...control), body]);
    sequence += first ? 1 : 2;
    return frame;
  };
}

/** With black to the right and at the bottom, where the picture is larger. */
async function encodeAgain(
  strip: Strip,
  width: number,
  rows: number,
  { depth, colours }: Animation,
): Promise<Uint8Array> {
  const found = await decodeLines(strip.data, strip.width, strip.depth);
  const pixels = depth === 24 && strip.depth !== 24 ? unindexed(found, colours) : found;
  const size = depth === 24 ? 3 : 1;
  const padded = Buffer.alloc(width * rows * size);
  for (let y = 0; y < strip.rows; y += 1)
    padded.set(pixels.subarray(y * strip.width * size, (y + 1) * strip.width * size), y * width * size);
  return encodeLines(padded, width, depth);
}

/** A fraction of a second of two 16-bit numbers: in milliseconds up to a minute, coarser above. */
function delay(milliseconds: number): Buffer {
  const whole = Math.max(1, Math.round(milliseconds));
  const unit = [1, 10, 100, 1000].find((size) => whole / size < 0xffff) ?? 1000;
  const fraction = Buffer.alloc(4);
  fraction.writeUInt16BE(Math.min(0xffff, Math.round(whole / unit)), 0);
  fraction.writeUInt16BE(1000 / unit, 2);
  return fraction;
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, index * 4);
  return bytes;
}
