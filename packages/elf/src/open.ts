import { ElfError } from "./elf-error.ts";
import type { ElfClass, ElfEndianness, ElfFile, ElfSegment, ElfType } from "./elf-file.ts";
import { type Fields, fieldsOf } from "./internal/fields.ts";
import { MACHINES, OS_ABIS } from "./internal/names.ts";
import { readRange } from "./internal/read-range.ts";
import { bufferSource, type ElfSource } from "./source.ts";

const TYPES: readonly ElfType[] = ["none", "relocatable", "executable", "shared", "core"];

/** e_phnum when the true number does not fit; it is then sh_info of the first section header. */
const PN_XNUM = 0xffff;

/**
 * Reads the ELF header and the program headers. Everything else is read from the result on demand.
 *
 * @throws {ElfError} if the file is no ELF file, or damaged in what was read
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openElf } from "@justenough/elf";
 * const elf = openElf(readFileSync(process.execPath));
 * console.log(elf.class, elf.endianness, elf.machine);
 * ```
 */
export function openElf(input: ElfSource | Uint8Array): ElfFile {
  const source = input instanceof Uint8Array ? bufferSource(input) : input;
  const { elfClass, endianness, ident } = readIdent(source);
  const is64 = elfClass === 64;
  const bytes = readRange(source, 0, is64 ? 64 : 52, "ELF header");
  const header = fieldsOf(bytes, elfClass, endianness);
  const version = header.u32(20);
  if (version !== 1) {
    throw new ElfError("ELF_UNSUPPORTED", `The file has ELF version ${version}, and only version 1 exists`);
  }
  const typeCode = header.u16(16);
  const machineCode = header.u16(18);
  const tail = is64 ? 48 : 36; // e_flags and all that follows have the same sizes in both classes
  const sectionTable = {
    offset: header.offset(is64 ? 40 : 32),
    entrySize: header.u16(tail + 10),
    count: header.u16(tail + 12),
    nameIndex: header.u16(tail + 14),
  };
  const file = {
    source,
    class: elfClass,
    endianness,
    machine: MACHINES.get(machineCode) ?? "unknown",
    machineCode,
    type: TYPES[typeCode] ?? "other",
    typeCode,
    osAbi: OS_ABIS.get(ident[7] as number) ?? "unknown",
    osAbiCode: ident[7] as number,
    abiVersion: ident[8] as number,
    entry: header.address(24),
    flags: header.u32(tail),
    segments: [],
    sectionTable,
  };
  let count = header.u16(tail + 8);
  if (count === PN_XNUM && sectionTable.offset !== 0) {
    const first = readRange(source, sectionTable.offset, is64 ? 64 : 40, "first section header");
    count = fieldsOf(first, elfClass, endianness).u32(is64 ? 44 : 28);
  }
  return {
    ...file,
    segments: readSegments(file, header.offset(is64 ? 32 : 28), header.u16(tail + 6), count),
  };
}

function readIdent(source: ElfSource): { elfClass: ElfClass; endianness: ElfEndianness; ident: Uint8Array } {
  const ident = readRange(source, 0, Math.min(16, source.size), "ELF identification");
  if (ident[0] !== 0x7f || ident[1] !== 0x45 || ident[2] !== 0x4c || ident[3] !== 0x46) {
    throw new ElfError("ELF_NOT_ELF", "The file does not start with the ELF magic");
  }
  if (ident.length < 16) throw new ElfError("ELF_TRUNCATED", "The file ends inside the ELF header");
  const elfClass = ident[4] === 1 ? 32 : ident[4] === 2 ? 64 : undefined;
  const endianness = ident[5] === 1 ? "little" : ident[5] === 2 ? "big" : undefined;
  if (elfClass === undefined) {
    throw new ElfError("ELF_UNSUPPORTED", `The ELF class is ${ident[4]}, wanted 1 (32 bits) or 2 (64 bits)`);
  }
  if (endianness === undefined) {
    throw new ElfError("ELF_UNSUPPORTED", `The ELF byte order is ${ident[5]}, wanted 1 (little) or 2 (big)`);
  }
  return { elfClass, endianness, ident };
}

function readSegments(file: ElfFile, offset: number, entrySize: number, count: number): ElfSegment[] {
  if (count === 0) return [];
  const wanted = file.class === 64 ? 56 : 32;
  if (entrySize < wanted) {
    throw new ElfError(
      "ELF_MALFORMED",
      `The program headers have ${entrySize} bytes each, wanted at least ${wanted}`,
    );
  }
  const bytes = readRange(file.source, offset, entrySize * count, "program header table");
  const fields = fieldsOf(bytes, file.class, file.endianness);
  const segments: ElfSegment[] = [];
  for (let base = 0; base < bytes.length; base += entrySize) {
    segments.push(file.class === 64 ? segment64(fields, base) : segment32(fields, base));
  }
  return segments;
}

function segment64(fields: Fields, base: number): ElfSegment {
  return {
    type: fields.u32(base),
    flags: fields.u32(base + 4),
    offset: fields.offset(base + 8),
    address: fields.address(base + 16),
    fileSize: fields.offset(base + 32),
    memorySize: fields.address(base + 40),
    align: fields.offset(base + 48),
  };
}

function segment32(fields: Fields, base: number): ElfSegment {
  return {
    type: fields.u32(base),
    offset: fields.offset(base + 4),
    address: fields.address(base + 8),
    fileSize: fields.offset(base + 16),
    memorySize: fields.address(base + 20),
    flags: fields.u32(base + 24),
    align: fields.offset(base + 28),
  };
}
