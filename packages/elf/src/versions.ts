import { DynamicTag, lastValue, readDynamicTable } from "./dynamic.ts";
import { ElfError } from "./elf-error.ts";
import type { ElfFile } from "./elf-file.ts";
import { fileOffsetOf } from "./internal/address.ts";
import { fieldsOf } from "./internal/fields.ts";
import { readRange } from "./internal/read-range.ts";

/** The symbol versions that a file needs of one library, such as `GLIBC_2.34` of `libc.so.6`. */
export interface VersionNeed {
  readonly library: string;
  readonly versions: readonly {
    readonly name: string;
    /** VER_FLG_WEAK: the loader only warns when the version is missing. */
    readonly weak: boolean;
  }[];
}

const RECORD_SIZE = 16; // both Verneed and Vernaux, in both classes
const MAX_RECORDS = 0x1_0000;

/**
 * Reads which symbol versions of which libraries a file needs (DT_VERNEED): what makes a program fail on a
 * system with an older library. Empty if the file says nothing.
 *
 * @throws {ElfError} if the records are damaged
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openElf, readVersionNeeds } from "@justenough/elf";
 * console.log(readVersionNeeds(openElf(readFileSync("/bin/ls")))[0]?.library);
 * ```
 */
export function readVersionNeeds(elf: ElfFile): VersionNeed[] {
  const table = readDynamicTable(elf);
  const address = table && lastValue(table.entries, DynamicTag.verneed);
  if (table === undefined || address === undefined) return [];
  const { offset: start, available } = fileOffsetOf(elf, address, "table of needed versions");
  let records = 0;
  const record = (offset: number): ReturnType<typeof fieldsOf> => {
    // Records point at each other; a loop among them must come to an end.
    if (offset > available - RECORD_SIZE || ++records > MAX_RECORDS) {
      throw new ElfError("ELF_MALFORMED", "The table of needed versions does not end within its segment");
    }
    const bytes = readRange(elf.source, start + offset, RECORD_SIZE, "record of a needed version");
    return fieldsOf(bytes, elf.class, elf.endianness);
  };
  const needs: VersionNeed[] = [];
  for (let offset = 0, next = -1; next !== 0; offset += next) {
    const need = record(offset);
    const versions: { name: string; weak: boolean }[] = [];
    for (let at = offset + need.u32(8), step = -1; step !== 0 && versions.length < need.u16(2); at += step) {
      const version = record(at);
      versions.push({ name: table.string(version.u32(8)), weak: (version.u16(4) & 2) !== 0 });
      step = version.u32(12);
    }
    needs.push({ library: table.string(need.u32(4)), versions });
    next = need.u32(12);
  }
  return needs;
}
