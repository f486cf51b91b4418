/** What is needed of an object file: how large it is in memory, and which symbols it has and lacks. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { openElf, readSection, readSections, SectionType } from "@justenough/elf";
import type { ElfFile, ElfSection } from "@justenough/elf";

/** Bytes in memory as binutils' size counts them: text holds read-only data too. */
export interface Bytes {
  readonly text: number;
  readonly data: number;
  readonly bss: number;
}

/** Symbols that others may see. */
export interface Symbols {
  readonly defined: readonly string[];
  /** Without weak ones, which nobody is looked for. */
  readonly undefined: readonly string[];
}

const SHF_WRITE = 1n;
const SHF_ALLOC = 2n;
const SHF_EXECINSTR = 4n;

/** Opens an ELF file for as long as `work` takes; only what is asked for is read, since a vmlinux may be large. */
export function withObject<T>(path: string, work: (elf: ElfFile) => T): T {
  const fd = openSync(path, "r");
  try {
    const read = (offset: number, length: number): Uint8Array => {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes;
    };
    return work(openElf({ size: fstatSync(fd).size, read }));
  } finally {
    closeSync(fd);
  }
}

/** Sections that take memory. */
export function memorySections(elf: ElfFile): ElfSection[] {
  return readSections(elf).filter(({ flags, size }) => (flags & SHF_ALLOC) !== 0n && size > 0);
}

/** The sums of berkeley_sum() in binutils/size.c. */
export function bytesOf(elf: ElfFile): Bytes {
  let text = 0;
  let data = 0;
  let bss = 0;
  for (const { flags, type, size } of memorySections(elf)) {
    if ((flags & SHF_EXECINSTR) !== 0n || (flags & SHF_WRITE) === 0n) text += size;
    else if (type === SectionType.noBits) bss += size;
    else data += size;
  }
  return { text, data, bss };
}

/** Global symbols of a 64-bit object (ELF specification, "Symbol Table"). */
export function symbolsOf(elf: ElfFile): Symbols {
  const table = readSection(elf, ".symtab");
  const strings = readSection(elf, ".strtab");
  const defined: string[] = [];
  const missing: string[] = [];
  if (table === undefined || strings === undefined || elf.class !== 64)
    return { defined, undefined: missing };
  const little = elf.endianness === "little";
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const text = Buffer.from(strings.buffer, strings.byteOffset, strings.byteLength);
  for (let at = 24; at + 24 <= table.length; at += 24) {
    const binding = view.getUint8(at + 4) >> 4;
    if (binding !== 1 && binding !== 2) continue;
    const start = view.getUint32(at, little);
    const name = text.toString("latin1", start, text.indexOf(0, start));
    if (view.getUint16(at + 6, little) !== 0) defined.push(name);
    else if (binding === 1) missing.push(name);
  }
  return { defined, undefined: missing };
}
