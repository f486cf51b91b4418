import { CpioError } from "../cpio-error.ts";
import type { CpioFormat } from "../entry.ts";
import { FIELD_COUNT, MAGIC_SIZE } from "./layout.ts";

const DIGIT = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  DIGIT[value.toString(16).charCodeAt(0)] = value;
  DIGIT[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** The format that a magic names, or undefined. */
export function formatOfMagic(bytes: Uint8Array): CpioFormat | undefined {
  if (bytes.length < MAGIC_SIZE) return undefined;
  const isPrefix =
    bytes[0] === 48 && bytes[1] === 55 && bytes[2] === 48 && bytes[3] === 55 && bytes[4] === 48;
  if (!isPrefix) return undefined;
  return bytes[5] === 49 ? "newc" : bytes[5] === 50 ? "crc" : undefined;
}

/**
 * The 13 numbers of a header. Digits of both cases are good; anything else is an error, as in kernels since
 * 6.13 (older ones read it with simple_strtoul, which also takes "0x" and blanks).
 */
export function parseFields(header: Uint8Array, offset: number): number[] {
  const fields: number[] = [];
  let position = MAGIC_SIZE;
  for (let field = 0; field < FIELD_COUNT; field++) {
    let value = 0;
    for (const end = position + 8; position < end; position++) {
      const digit = DIGIT[header[position] as number] as number;
      if (digit < 0) {
        throw new CpioError(
          "CPIO_HEADER",
          `Damaged header at byte ${offset}: byte ${position} of it is no hexadecimal digit`,
          { offset },
        );
      }
      value = value * 16 + digit;
    }
    fields.push(value);
  }
  return fields;
}
