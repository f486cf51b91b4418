import type { Pixels } from "./pixels.ts";

/** Height of a letter, and the shade of its pixels, in what QEMU writes itself (ui/console.c). */
const LETTER = 16;
const SHADE = 0xaa;

/**
 * Whether it is what QEMU shows while the guest has no picture: one line of grey letters in the middle of a black screen,
 * "Guest has not initialized the display (yet)". It is no picture of the guest, and has a size and a colour of its own.
 */
export function isNotice({ width, height, rgb }: Pixels): boolean {
  const line = width * 3;
  const top = Math.floor((Math.floor(height / LETTER) - 1) / 2) * LETTER;
  const [from, to] = [top * line, (top + LETTER) * line];
  const letters = rgb.subarray(from, to);
  const black = Buffer.alloc(rgb.length);
  return (
    letters.includes(SHADE) &&
    letters.every((byte) => byte === 0 || byte === SHADE) &&
    rgb.subarray(0, from).equals(black.subarray(0, from)) &&
    rgb.subarray(to).equals(black.subarray(to))
  );
}
