import { type DlopenDependency, findDlopen } from "./dlopen.ts";
import { type ElfDynamic, readDynamic } from "./dynamic.ts";
import type { ElfFile } from "./elf-file.ts";
import { readInterpreter } from "./interpreter.ts";
import { findBuildId, readNotes } from "./notes.ts";
import { openElf } from "./open.ts";
import type { ElfSource } from "./source.ts";

/** What is asked of a file most often, see {@link readElf}. */
export interface ElfSummary extends Omit<ElfFile, "source" | "segments" | "sectionTable"> {
  /** Path of the dynamic loader; undefined for libraries and static programs. */
  readonly interpreter: string | undefined;
  /** Undefined for a file without a dynamic section: a static program, an object file, a module. */
  readonly dynamic: ElfDynamic | undefined;
  readonly buildId: string | undefined;
  /** Libraries that are loaded by dlopen(3), as far as the file declares them. */
  readonly dlopen: readonly DlopenDependency[];
}

/**
 * Reads in a few small reads what is needed to find the libraries of a program: header, interpreter, dynamic
 * section, build id and dlopen notes. Works without section headers.
 *
 * @throws {ElfError} if the file is no ELF file, or damaged in what was read
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { readElf } from "@justenough/elf";
 * const { interpreter, dynamic } = readElf(readFileSync("/bin/ls"));
 * console.log(interpreter, dynamic?.needed);
 * ```
 */
export function readElf(input: ElfSource | Uint8Array): ElfSummary {
  const elf = openElf(input);
  const notes = readNotes(elf);
  const { source: _source, segments: _segments, sectionTable: _table, ...header } = elf;
  return {
    ...header,
    interpreter: readInterpreter(elf),
    dynamic: readDynamic(elf),
    buildId: findBuildId(notes),
    dlopen: findDlopen(notes),
  };
}
