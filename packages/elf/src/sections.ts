import { ElfError } from "./elf-error.ts";
import type { ElfFile } from "./elf-file.ts";
import { type Fields, fieldsOf } from "./internal/fields.ts";
import { readRange } from "./internal/read-range.ts";
import { stringTable } from "./internal/strings.ts";

/** sh_type values that this package looks at. */
export const SectionType = { note: 7, noBits: 8 } as const;

/** A section header. Stripped programs may have none at all. */
export interface ElfSection {
  readonly name: string;
  /** sh_type, see {@link SectionType}. */
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  /** Place in the file, in bytes. */
  readonly offset: number;
  readonly size: number;
  readonly align: number;
}

interface RawSection extends Omit<ElfSection, "name"> {
  readonly nameIndex: number;
  readonly link: number;
}

/** The name index is in sh_link of the first section header. */
const SHN_XINDEX = 0xffff;

/**
 * Reads all section headers; an empty list if the file has none.
 *
 * @throws {ElfError} if the table or its names are damaged
 */
export function readSections(elf: ElfFile): ElfSection[] {
  const { offset, entrySize, nameIndex } = elf.sectionTable;
  if (offset === 0) return [];
  const wanted = elf.class === 64 ? 64 : 40;
  if (entrySize < wanted) {
    throw new ElfError(
      "ELF_MALFORMED",
      `The section headers have ${entrySize} bytes each, wanted at least ${wanted}`,
    );
  }
  const parse = (bytes: Uint8Array, base: number): RawSection =>
    elf.class === 64
      ? section64(fieldsOf(bytes, elf.class, elf.endianness), base)
      : section32(fieldsOf(bytes, elf.class, elf.endianness), base);
  const first = parse(readRange(elf.source, offset, entrySize, "first section header"), 0);
  const count = elf.sectionTable.count === 0 ? first.size : elf.sectionTable.count;
  if (count === 0) return [];
  const bytes = readRange(elf.source, offset, entrySize * count, "section header table");
  const sections: RawSection[] = [];
  for (let base = 0; base < bytes.length; base += entrySize) sections.push(parse(bytes, base));
  const names = sections[nameIndex === SHN_XINDEX ? first.link : nameIndex];
  if (names === undefined) {
    throw new ElfError("ELF_MALFORMED", `The names of ${count} sections are in section ${nameIndex}`);
  }
  // Section 0 as the table of names means that there are none.
  const nameOf =
    names === sections[0] || names.type === SectionType.noBits
      ? () => ""
      : stringTable(elf.source, names.offset, names.size, "section name table");
  return sections.map(({ nameIndex, type, flags, address, offset, size, align }) => ({
    name: nameOf(nameIndex),
    type,
    flags,
    address,
    offset,
    size,
    align,
  }));
}

/**
 * Reads the bytes of the first section of that name; undefined if there is none. Compressed debug sections
 * come as they are stored.
 *
 * @throws {ElfError} if the section table or the section is damaged or above 16 MiB
 */
export function readSection(elf: ElfFile, name: string): Uint8Array | undefined {
  const section = readSections(elf).find((candidate) => candidate.name === name);
  if (section === undefined) return undefined;
  if (section.type === SectionType.noBits) return new Uint8Array(0);
  return readRange(elf.source, section.offset, section.size, `section "${name}"`);
}

function section64(fields: Fields, base: number): RawSection {
  return {
    nameIndex: fields.u32(base),
    type: fields.u32(base + 4),
    flags: fields.address(base + 8),
    address: fields.address(base + 16),
    offset: fields.offset(base + 24),
    size: fields.offset(base + 32),
    link: fields.u32(base + 40),
    align: fields.offset(base + 48),
  };
}

function section32(fields: Fields, base: number): RawSection {
  return {
    nameIndex: fields.u32(base),
    type: fields.u32(base + 4),
    flags: fields.address(base + 8),
    address: fields.address(base + 12),
    offset: fields.offset(base + 16),
    size: fields.offset(base + 20),
    link: fields.u32(base + 24),
    align: fields.offset(base + 32),
  };
}
