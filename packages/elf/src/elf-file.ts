import type { ElfSource } from "./source.ts";

/** Word size of the file's addresses. */
export type ElfClass = 32 | 64;

export type ElfEndianness = "little" | "big";

/** e_type: a kernel module is `relocatable`, a library or position-independent program `shared`. */
export type ElfType = "none" | "relocatable" | "executable" | "shared" | "core" | "other";

/** A program header: what a loader sees of the file. */
export interface ElfSegment {
  /** p_type, see {@link SegmentType}. */
  readonly type: number;
  readonly flags: number;
  /** Place in the file, in bytes. */
  readonly offset: number;
  readonly fileSize: number;
  /** Place in memory. */
  readonly address: bigint;
  readonly memorySize: bigint;
  readonly align: number;
}

/** p_type values that this package looks at. */
export const SegmentType = { load: 1, dynamic: 2, interpreter: 3, note: 4 } as const;

/** The ELF header and the program headers: enough to read everything else from the source. */
export interface ElfFile {
  readonly source: ElfSource;
  readonly class: ElfClass;
  readonly endianness: ElfEndianness;
  /** Processor in words, such as `x86_64`, `aarch64`, `riscv`; `unknown` if only `machineCode` tells. */
  readonly machine: string;
  /** e_machine. */
  readonly machineCode: number;
  readonly type: ElfType;
  /** e_type. */
  readonly typeCode: number;
  /** Such as `sysv` or `gnu`; `unknown` if only `osAbiCode` tells. */
  readonly osAbi: string;
  readonly osAbiCode: number;
  readonly abiVersion: number;
  /** Address where execution starts. */
  readonly entry: bigint;
  /** e_flags, of which the meaning depends on the machine (float ABI of ARM and RISC-V, …). */
  readonly flags: number;
  readonly segments: readonly ElfSegment[];
  /** Where the section headers are; they are read on demand. */
  readonly sectionTable: {
    readonly offset: number;
    readonly entrySize: number;
    /** As in e_shnum: 0 with an offset means that the first section header holds the number. */
    readonly count: number;
    /** As in e_shstrndx. */
    readonly nameIndex: number;
  };
}
