import { ElfError } from "../elf-error.ts";
import type { ElfSource } from "../source.ts";

/** No table, note segment or section that this package reads is larger in real files. */
export const MAX_READ = 16 * 1024 * 1024;

/** Reads a range after having checked that it lies within the file and is of a sane size. */
export function readRange(source: ElfSource, offset: number, length: number, what: string): Uint8Array {
  if (offset > source.size || length > source.size - offset) {
    throw new ElfError(
      "ELF_TRUNCATED",
      `The ${what} (${length} bytes at ${offset}) lies beyond the end of the file of ${source.size} bytes`,
      { hint: "The file is damaged or was copied only in part" },
    );
  }
  if (length > MAX_READ) {
    throw new ElfError("ELF_TOO_LARGE", `The ${what} has ${length} bytes, more than the ${MAX_READ} allowed`);
  }
  if (length === 0) return new Uint8Array(0);
  const bytes = source.read(offset, length);
  if (bytes.length !== length) {
    throw new ElfError(
      "ELF_SOURCE",
      `The source gave ${bytes.length} bytes where ${length} were asked for at ${offset}`,
      { hint: "The file may have changed while it was read" },
    );
  }
  return bytes;
}
