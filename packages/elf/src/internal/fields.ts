import type { ElfClass, ElfEndianness } from "../elf-file.ts";

/** Numbers in the file's own byte order and word size. Offsets are checked by who reads the bytes. */
export interface Fields {
  u16(offset: number): number;
  u32(offset: number): number;
  /** An address: exact at 64 bits. */
  address(offset: number): bigint;
  /** A file offset or size: above 2^53 inexact, but then it lies beyond any file, which is checked. */
  offset(offset: number): number;
}

export function fieldsOf(bytes: Uint8Array, elfClass: ElfClass, endianness: ElfEndianness): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endianness === "little";
  const address = (offset: number): bigint =>
    elfClass === 64 ? view.getBigUint64(offset, little) : BigInt(view.getUint32(offset, little));
  return {
    u16: (offset) => view.getUint16(offset, little),
    u32: (offset) => view.getUint32(offset, little),
    address,
    offset: (offset) => Number(address(offset)),
  };
}
