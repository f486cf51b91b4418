export { readComments } from "./comment.ts";
export { type DlopenDependency, type DlopenPriority, findDlopen } from "./dlopen.ts";
export { DF_1_NODEFLIB, DF_1_PIE, DF_ORIGIN, type ElfDynamic, readDynamic } from "./dynamic.ts";
export { ElfError, type ElfErrorCode } from "./elf-error.ts";
export {
  type ElfClass,
  type ElfEndianness,
  type ElfFile,
  type ElfSegment,
  type ElfType,
  SegmentType,
} from "./elf-file.ts";
export { readImports } from "./imports.ts";
export { readInterpreter } from "./interpreter.ts";
export { type ModuleInfo, parseModuleInfo, readModuleInfo } from "./modinfo.ts";
export { type ElfNote, findBuildId, readNotes } from "./notes.ts";
export { openElf } from "./open.ts";
export { type ElfSummary, readElf } from "./read.ts";
export { type ElfSection, readSection, readSections, SectionType } from "./sections.ts";
export { bufferSource, type ElfSource } from "./source.ts";
export { syscallNames } from "./syscall-names.ts";
export { findSyscalls, type SyscallSite } from "./syscalls.ts";
export { readVersionNeeds, type VersionNeed } from "./versions.ts";
