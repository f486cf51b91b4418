const ROM_SIZE = 64 * 1024;

/** The image for `-bios` whose code ends with the reset vector, 16 bytes below the end. */
export function romImage(code: Uint8Array): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE);
  rom.set(code, ROM_SIZE - code.length);
  return rom;
}
