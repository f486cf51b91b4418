import { ElfError } from "./elf-error.ts";
import type { ElfFile } from "./elf-file.ts";
import { fieldsOf } from "./internal/fields.ts";
import { readRange } from "./internal/read-range.ts";
import { stringTable } from "./internal/strings.ts";
import { readSections } from "./sections.ts";

/** st_info: a function, or a symbol of which the linker did not know what it is. */
const STT_NOTYPE = 0;
const STT_FUNC = 2;

/**
 * The names of the functions that a dynamically linked program or library expects of others, in the order of its symbol
 * table; an empty list for a static program. Needs section headers, which `strip` leaves.
 *
 * @throws {ElfError} if the symbol table or its names are damaged, or above 16 MiB
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openElf, readImports } from "@justenough/elf";
 * console.log(readImports(openElf(readFileSync("/bin/ls"))).includes("opendir"));
 * ```
 */
export function readImports(elf: ElfFile): string[] {
  const sections = readSections(elf);
  const table = sections.find(({ name }) => name === ".dynsym");
  const names = sections.find(({ name }) => name === ".dynstr");
  if (table === undefined || names === undefined) return [];
  const size = elf.class === 64 ? 24 : 16;
  if (table.size % size !== 0) {
    throw new ElfError("ELF_MALFORMED", `The dynamic symbols have ${table.size} bytes, wanted ${size} each`);
  }
  const bytes = readRange(elf.source, table.offset, table.size, "dynamic symbols");
  const fields = fieldsOf(bytes, elf.class, elf.endianness);
  const nameOf = stringTable(elf.source, names.offset, names.size, "names of dynamic symbols");
  const imports: string[] = [];
  for (let base = size; base < bytes.length; base += size) {
    const info = bytes[base + (elf.class === 64 ? 4 : 12)] ?? 0;
    const section = fields.u16(base + (elf.class === 64 ? 6 : 14));
    const type = info & 0xf;
    if (section !== 0 || (type !== STT_FUNC && type !== STT_NOTYPE)) continue;
    const name = nameOf(fields.u32(base));
    if (name !== "") imports.push(name);
  }
  return imports;
}
