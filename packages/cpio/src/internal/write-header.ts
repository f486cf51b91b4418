import type { CpioFormat } from "../entry.ts";
import { HEADER_SIZE } from "./layout.ts";

const DIGITS = new TextEncoder().encode("0123456789ABCDEF");

/** Everything that goes into a header. */
export interface HeaderFields {
  readonly ino: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly size: number;
  readonly rmajor: number;
  readonly rminor: number;
}

function writeHex(out: Uint8Array, offset: number, value: number): void {
  for (let digit = 0; digit < 8; digit++) {
    out[offset + digit] = DIGITS[(value >>> (28 - digit * 4)) & 15] as number;
  }
}

/** Writes a header in upper case, as GNU cpio and the kernel's gen_init_cpio do; the device is always 0:0. */
export function writeHeader(
  out: Uint8Array,
  offset: number,
  format: CpioFormat,
  fields: HeaderFields,
  nameSize: number,
  checksum: number,
): void {
  out.set([48, 55, 48, 55, 48, format === "crc" ? 50 : 49], offset);
  let position = offset + 6;
  const put = (value: number): void => {
    writeHex(out, position, value);
    position += 8;
  };
  put(fields.ino);
  put(fields.mode);
  put(fields.uid);
  put(fields.gid);
  put(fields.nlink);
  put(fields.mtime);
  put(fields.size);
  put(0);
  put(0);
  put(fields.rmajor);
  put(fields.rminor);
  put(nameSize);
  put(checksum);
  if (position - offset !== HEADER_SIZE) throw new RangeError("header layout");
}
