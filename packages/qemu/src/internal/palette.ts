import type { Depth } from "./scanlines.ts";

/** The colours of a film, in the order of their appearance; black is the first. */
export interface Palette {
  /** 0xRRGGBB. */
  readonly colours: readonly number[];
  /** What it takes to tell them apart: 24 above the 256 that a PNG's palette can have; none is counted any more then. */
  readonly depth: Depth;
  /** One byte a pixel; undefined when there are too many colours. */
  indexed(rgb: Uint8Array): Uint8Array | undefined;
}

export function createPalette(): Palette {
  const indexes = new Map<number, number>([[0, 0]]);
  const depth = (): Depth => ([1, 2, 4, 8] as const).find((bits) => indexes.size <= 1 << bits) ?? 24;
  return {
    get colours() {
      return [...indexes.keys()];
    },
    get depth() {
      return depth();
    },
    indexed: (rgb) => {
      const out = new Uint8Array(rgb.length / 3);
      let [last, index] = [0, 0];
      for (let pixel = 0, at = 0; pixel < out.length; pixel += 1, at += 3) {
        const colour = ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0);
        // Neighbours mostly are of one colour, and a look into the map is what costs.
        if (colour !== last) {
          last = colour;
          index = indexes.get(colour) ?? indexes.size;
          if (index === indexes.size) indexes.set(colour, index);
          if (index > 255) return undefined;
        }
        out[pixel] = index;
      }
      return depth() === 24 ? undefined : out;
    },
  };
}

/** Pixels that were {@link Palette.indexed}, in red, green and blue again. */
export function unindexed(indexes: Uint8Array, colours: readonly number[]): Buffer {
  const rgb = Buffer.alloc(indexes.length * 3);
  for (const [pixel, index] of indexes.entries()) rgb.writeUIntBE(colours[index] ?? 0, pixel * 3, 3);
  return rgb;
}
