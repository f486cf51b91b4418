import { ElfError } from "../elf-error.ts";
import type { ElfSource } from "../source.ts";
import { readRange } from "./read-range.ts";

/** String tables up to this size are read in one go; from larger ones each string is read alone. */
const WHOLE_TABLE = 16 * 1024;
const PIECE = 256;
const MAX_STRING = 64 * 1024;

/** A small file can point at one long string very often; all strings together stay below this. */
const MAX_STRINGS_TOTAL = 16 * 1024 * 1024;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function decodeText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** Gives access to the NUL-terminated strings of a table by their index. */
export function stringTable(
  source: ElfSource,
  offset: number,
  size: number,
  what: string,
): (index: number) => string {
  const whole = size <= WHOLE_TABLE ? readRange(source, offset, size, what) : undefined;
  let total = 0;
  const bytesAt = (index: number): Uint8Array => {
    if (index >= size) {
      throw new ElfError("ELF_MALFORMED", `A string index of ${index} exceeds the ${what} of ${size} bytes`);
    }
    if (whole !== undefined) {
      const end = whole.indexOf(0, index);
      if (end >= 0) return whole.subarray(index, end);
    } else {
      for (let length = PIECE; ; length *= 4) {
        const available = Math.min(length, size - index, MAX_STRING);
        const piece = readRange(source, offset + index, available, what);
        const end = piece.indexOf(0);
        if (end >= 0) return piece.subarray(0, end);
        if (available < length) break;
      }
    }
    throw new ElfError(
      "ELF_MALFORMED",
      `The string at ${index} of the ${what} does not end within it, or not within ${MAX_STRING} bytes`,
    );
  };
  return (index) => {
    const bytes = bytesAt(index);
    total += bytes.length;
    if (total > MAX_STRINGS_TOTAL) {
      throw new ElfError(
        "ELF_TOO_LARGE",
        `The strings of the ${what} exceed ${MAX_STRINGS_TOTAL} bytes in all`,
      );
    }
    return decodeText(bytes);
  };
}
