import { promisify } from "node:util";
import { deflate, inflate, type ZlibOptions } from "node:zlib";

const compress = promisify<Uint8Array, ZlibOptions, Buffer>(deflate);
const decompress = promisify<Uint8Array, Buffer>(inflate);

/** Bits a pixel: an index into the palette, or red, green and blue. */
export type Depth = 1 | 2 | 4 | 8 | 24;

/**
 * Pixels (one byte each, or three) as the data of a PNG: rows without a filter, which suits text best, compressed. The
 * level is zlib's own: above it a tenth less is paid for with ten times the work, and the guest needs the processor.
 */
export function encodeLines(pixels: Uint8Array, width: number, depth: Depth): Promise<Buffer> {
  return compress(packLines(pixels, width, depth), { level: 6, memLevel: 9 });
}

export async function decodeLines(data: Uint8Array, width: number, depth: Depth): Promise<Uint8Array> {
  return unpackLines(await decompress(data), width, depth);
}

function packLines(pixels: Uint8Array, width: number, depth: Depth): Buffer {
  const line = depth === 24 ? width * 3 : width;
  const stride = 1 + Math.ceil((width * depth) / 8);
  const lines = Buffer.alloc((stride * pixels.length) / line);
  for (let from = 0, to = 1; from < pixels.length; from += line, to += stride) {
    const row = pixels.subarray(from, from + line);
    if (depth >= 8) lines.set(row, to);
    else packLine(row, lines.subarray(to, to + stride - 1), depth);
  }
  return lines;
}

/** The leftmost pixel is in the highest bits. */
function packLine(pixels: Uint8Array, out: Uint8Array, depth: number): void {
  const perByte = 8 / depth;
  for (let at = 0, x = 0; at < out.length; at += 1) {
    let byte = 0;
    for (let part = 0; part < perByte; part += 1, x += 1) byte = (byte << depth) | (pixels[x] ?? 0);
    out[at] = byte;
  }
}

function unpackLines(lines: Uint8Array, width: number, depth: Depth): Uint8Array {
  const line = depth === 24 ? width * 3 : width;
  const stride = 1 + Math.ceil((width * depth) / 8);
  const pixels = new Uint8Array((line * lines.length) / stride);
  for (let from = 1, to = 0; to < pixels.length; from += stride, to += line) {
    const row = lines.subarray(from, from + stride - 1);
    if (depth >= 8) pixels.set(row, to);
    else
      for (let x = 0; x < width; x += 1) {
        const bit = x * depth;
        pixels[to + x] = ((row[bit >> 3] ?? 0) >> (8 - depth - (bit & 7))) & ((1 << depth) - 1);
      }
  }
  return pixels;
}
