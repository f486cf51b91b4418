import { ElfError } from "./elf-error.ts";
import type { ElfFile } from "./elf-file.ts";
import { readRange } from "./internal/read-range.ts";
import { scanArm64, scanX86 } from "./internal/syscall-scan.ts";
import { readSections } from "./sections.ts";

/** A place in a program's code that enters the kernel. */
export interface SyscallSite {
  /** Place in memory. */
  readonly address: bigint;
  /** What was loaded into the register for the number shortly before; undefined where that is not to be seen. */
  readonly number: number | undefined;
}

/** sh_flags and p_flags. */
const SHF_EXECINSTR = 4n;
const PF_X = 1;
const SHT_NOBITS = 8;
/** Code is looked through in pieces. */
const PIECE = 1 << 20;
const SCANS = { x86_64: scanX86, aarch64: scanArm64 } as const;

/**
 * Looks through a program's code for instructions that enter the kernel (`syscall` on x86_64, `svc #0` on aarch64), each
 * with the number of the system call where that is loaded in the few instructions before. Instructions are read one after
 * the other, as objdump does, without following jumps: a number that comes from elsewhere, as in syscall(2) itself, is not
 * known, and what code is ever reached is not asked.
 *
 * @throws {ElfError} ELF_UNSUPPORTED for other machines; if the section table is damaged
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { findSyscalls, openElf } from "@justenough/elf";
 * const sites = findSyscalls(openElf(readFileSync("/bin/ls"))); // ls leaves all that to its libraries
 * console.log(sites.length, sites.filter(({ number }) => number === undefined).length);
 * ```
 */
export function findSyscalls(elf: ElfFile): SyscallSite[] {
  const scanner = (SCANS as Readonly<Record<string, typeof scanX86 | undefined>>)[elf.machine];
  if (scanner === undefined || elf.class !== 64 || elf.endianness !== "little") {
    throw new ElfError("ELF_UNSUPPORTED", `System calls are not looked for in code for ${elf.machine}`);
  }
  const code = codeOf(elf).filter(({ size }) => size > 0);
  const total = code.reduce((sum, { size }) => sum + size, 0);
  if (total > elf.source.size) {
    throw new ElfError("ELF_MALFORMED", `The code has ${total} bytes, and the file ${elf.source.size}`);
  }
  return code.flatMap(({ offset, size, address }) => {
    const scan = scanner();
    let place = 0;
    while (place < size) {
      const length = Math.min(size - place, PIECE);
      const bytes = readRange(elf.source, offset + place, length, "code");
      place += scan.take(bytes, place, place + length === size);
    }
    return scan.found.map(({ at, number }) => ({ address: address + BigInt(at), number }));
  });
}

interface Code {
  readonly offset: number;
  readonly size: number;
  readonly address: bigint;
}

// Sections leave constants between functions out, and a stripped program has them; a segment has all.
function codeOf(elf: ElfFile): Code[] {
  const sections = readSections(elf).filter(
    ({ flags, type }) => (flags & SHF_EXECINSTR) !== 0n && type !== SHT_NOBITS,
  );
  if (sections.length > 0) return sections;
  return elf.segments
    .filter(({ flags }) => (flags & PF_X) !== 0)
    .map(({ offset, fileSize, address }) => ({ offset, size: fileSize, address }));
}
