import { ElfError } from "./elf-error.ts";
import { type ElfFile, SegmentType } from "./elf-file.ts";
import { fileOffsetOf } from "./internal/address.ts";
import { fieldsOf } from "./internal/fields.ts";
import { readRange } from "./internal/read-range.ts";
import { stringTable } from "./internal/strings.ts";

/** d_tag values that this package reads. */
export const DynamicTag = {
  null: 0n,
  needed: 1n,
  strtab: 5n,
  strsz: 10n,
  soname: 14n,
  rpath: 15n,
  runpath: 29n,
  flags: 30n,
  verneed: 0x6fff_fffen,
  verneednum: 0x6fff_ffffn,
  flags1: 0x6fff_fffbn,
  auxiliary: 0x7fff_fffdn,
  filter: 0x7fff_ffffn,
} as const;

/** DT_FLAGS_1: search no default directories (`-z nodefaultlib`). */
export const DF_1_NODEFLIB = 0x800;
/** DT_FLAGS_1: a position-independent program, not a library. */
export const DF_1_PIE = 0x0800_0000;
/** DT_FLAGS: the file uses `$ORIGIN`. */
export const DF_ORIGIN = 0x1;

/** What the dynamic section tells a loader. */
export interface ElfDynamic {
  /** DT_NEEDED: libraries to be loaded, in the file's order. */
  readonly needed: readonly string[];
  /** DT_SONAME: the name by which others need this library. */
  readonly soname: string | undefined;
  /** DT_RPATH, as it stands: directories separated by colons, with `$ORIGIN` and the like. */
  readonly rpath: string | undefined;
  /** DT_RUNPATH, as it stands. */
  readonly runpath: string | undefined;
  /** DT_FILTER and DT_AUXILIARY: libraries that are searched before this one. */
  readonly filters: readonly string[];
  /** DT_FLAGS. */
  readonly flags: number;
  /** DT_FLAGS_1. */
  readonly flags1: number;
}

/** The dynamic section as it is stored, up to DT_NULL. */
export interface DynamicTable {
  readonly entries: readonly (readonly [tag: bigint, value: bigint])[];
  readonly string: (index: number) => string;
}

const BLOCK_ENTRIES = 128;

/** Reads the entries from PT_DYNAMIC, which is what loaders do; section headers may be missing. */
export function readDynamicTable(elf: ElfFile): DynamicTable | undefined {
  const segment = elf.segments.find(({ type }) => type === SegmentType.dynamic);
  // Files with debug information alone keep the header of the segment, but not its bytes.
  if (segment === undefined || segment.fileSize === 0) return undefined;
  const word = elf.class === 64 ? 8 : 4;
  const count = Math.floor(segment.fileSize / (word * 2));
  const entries: [bigint, bigint][] = [];
  for (let done = 0; done < count; done += BLOCK_ENTRIES) {
    const length = Math.min(BLOCK_ENTRIES, count - done) * word * 2;
    const bytes = readRange(elf.source, segment.offset + done * word * 2, length, "dynamic section");
    const fields = fieldsOf(bytes, elf.class, elf.endianness);
    for (let base = 0; base < length; base += word * 2) {
      const tag = fields.address(base);
      if (tag === DynamicTag.null) return { entries, string: lazyStrings(elf, entries) };
      entries.push([tag, fields.address(base + word)]);
    }
    if (entries.length > 0x1_0000) {
      throw new ElfError("ELF_TOO_LARGE", "The dynamic section has more than 65536 entries");
    }
  }
  return { entries, string: lazyStrings(elf, entries) };
}

/** The last entry of a tag counts, as in elf_get_dynamic_info() of glibc. */
export function lastValue(entries: DynamicTable["entries"], tag: bigint): bigint | undefined {
  return entries.findLast(([found]) => found === tag)?.[1];
}

function lazyStrings(elf: ElfFile, entries: DynamicTable["entries"]): (index: number) => string {
  let table: ((index: number) => string) | undefined;
  return (index) => {
    if (table === undefined) {
      const address = lastValue(entries, DynamicTag.strtab);
      if (address === undefined) {
        throw new ElfError("ELF_MALFORMED", "The dynamic section has names, but no string table");
      }
      const place = fileOffsetOf(elf, address, "dynamic string table");
      const size = Number(lastValue(entries, DynamicTag.strsz) ?? BigInt(place.available));
      if (size > place.available) {
        throw new ElfError(
          "ELF_MALFORMED",
          `The dynamic string table of ${size} bytes exceeds its segment, which has ${place.available} bytes left`,
        );
      }
      table = stringTable(elf.source, place.offset, size, "dynamic string table");
    }
    return table(index);
  };
}

/**
 * Reads what the file asks of a dynamic loader, or gives undefined for a file without a dynamic section.
 *
 * @throws {ElfError} if the section or its strings are damaged
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openElf, readDynamic } from "@justenough/elf";
 * console.log(readDynamic(openElf(readFileSync(process.execPath)))?.needed);
 * ```
 */
export function readDynamic(elf: ElfFile): ElfDynamic | undefined {
  const table = readDynamicTable(elf);
  if (table === undefined) return undefined;
  const { entries, string } = table;
  const strings = (...tags: readonly bigint[]): string[] =>
    entries.filter(([tag]) => tags.includes(tag)).map(([, value]) => string(Number(value)));
  const one = (tag: bigint): string | undefined => {
    const value = lastValue(entries, tag);
    return value === undefined ? undefined : string(Number(value));
  };
  const number = (tag: bigint): number => Number(BigInt.asUintN(32, lastValue(entries, tag) ?? 0n));
  return {
    needed: strings(DynamicTag.needed),
    soname: one(DynamicTag.soname),
    rpath: one(DynamicTag.rpath),
    runpath: one(DynamicTag.runpath),
    filters: strings(DynamicTag.filter, DynamicTag.auxiliary),
    flags: number(DynamicTag.flags),
    flags1: number(DynamicTag.flags1),
  };
}
