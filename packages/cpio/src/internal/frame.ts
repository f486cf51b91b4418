import type { CpioFormat } from "../entry.ts";
import { HEADER_SIZE, NAME_MAX_WITH_NUL, padding4, toBytes, TRAILER } from "./layout.ts";
import type { Planned } from "./plan.ts";
import { type HeaderFields, writeHeader } from "./write-header.ts";

const TRAILER_NAME = toBytes(TRAILER);
const TRAILER_FIELDS: HeaderFields = {
  ino: 0,
  mode: 0,
  uid: 0,
  gid: 0,
  nlink: 1,
  mtime: 0,
  size: 0,
  rmajor: 0,
  rminor: 0,
};

/** Bytes of header, name, NULs and padding: what stands before the data. */
export function headSize(nameSize: number): number {
  const length = HEADER_SIZE + nameSize;
  return length + padding4(length);
}

/**
 * Bytes of a name with its NULs: one, or so many that the data come to lie at a multiple of `align`. As
 * usr/gen_init_cpio.c does it: not for data that would not fill a block, nor beyond what the kernel takes for a name.
 */
export function nameSizeAt(offset: number, { name, fields }: Planned, align: number): number {
  const size = name.length + 1;
  if (fields.size <= align) return size;
  const start = offset + headSize(size);
  const padded = headSize(size) - HEADER_SIZE + ((align - (start % align)) % align);
  return padded > NAME_MAX_WITH_NUL || start % align === 0 ? size : padded;
}

export const TRAILER_SIZE = headSize(TRAILER_NAME.length + 1);

/** Writes header and name into bytes that are zero; returns the offset after the padding. */
export function writeHead(
  out: Uint8Array,
  offset: number,
  format: CpioFormat,
  planned: Planned,
  nameSize: number,
  checksum: number,
): number {
  writeHeader(out, offset, format, planned.fields, nameSize, checksum);
  out.set(planned.name, offset + HEADER_SIZE);
  return offset + headSize(nameSize);
}

export function writeTrailer(out: Uint8Array, offset: number, format: CpioFormat): number {
  writeHeader(out, offset, format, TRAILER_FIELDS, TRAILER_NAME.length + 1, 0);
  out.set(TRAILER_NAME, offset + HEADER_SIZE);
  return offset + TRAILER_SIZE;
}
