import type { CpioFormat } from "../entry.ts";
import { HEADER_SIZE, padding4, toBytes, TRAILER } from "./layout.ts";
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
  checksum: 0,
};

/** Bytes of header, name, NUL and padding: what stands before the data. */
export function headSize(name: Uint8Array): number {
  const length = HEADER_SIZE + name.length + 1;
  return length + padding4(length);
}

/** Bytes of an entry from header to the padding after its data. */
export function entrySize(planned: Planned): number {
  return headSize(planned.name) + planned.fields.size + padding4(planned.fields.size);
}

export const TRAILER_SIZE = headSize(TRAILER_NAME);

/** Writes header and name into bytes that are zero; returns the offset after the padding. */
export function writeHead(
  out: Uint8Array,
  offset: number,
  format: CpioFormat,
  planned: Planned,
  checksum: number,
): number {
  writeHeader(out, offset, format, { ...planned.fields, checksum }, planned.name.length + 1);
  out.set(planned.name, offset + HEADER_SIZE);
  return offset + headSize(planned.name);
}

export function writeTrailer(out: Uint8Array, offset: number, format: CpioFormat): number {
  writeHeader(out, offset, format, TRAILER_FIELDS, TRAILER_NAME.length + 1);
  out.set(TRAILER_NAME, offset + HEADER_SIZE);
  return offset + TRAILER_SIZE;
}
