import { ElfError } from "./elf-error.ts";
import { type ElfFile, SegmentType } from "./elf-file.ts";
import { readRange } from "./internal/read-range.ts";
import { decodeText } from "./internal/strings.ts";

/** PATH_MAX of Linux, which load_elf_binary() of fs/binfmt_elf.c applies too. */
const MAX_INTERPRETER = 4096;

/**
 * Reads the path of the program interpreter (dynamic loader), or gives undefined for a file without one. As in
 * the kernel, the first PT_INTERP counts.
 *
 * @throws {ElfError} if the path does not end with its NUL or is empty
 */
export function readInterpreter(elf: ElfFile): string | undefined {
  const segment = elf.segments.find(({ type }) => type === SegmentType.interpreter);
  if (segment === undefined || segment.fileSize === 0) return undefined;
  if (segment.fileSize > MAX_INTERPRETER) {
    throw new ElfError(
      "ELF_TOO_LARGE",
      `The interpreter's path has ${segment.fileSize} bytes, more than the ${MAX_INTERPRETER} that Linux takes`,
    );
  }
  const bytes = readRange(elf.source, segment.offset, segment.fileSize, "interpreter's path");
  const end = bytes.indexOf(0);
  if (end < 0) throw new ElfError("ELF_MALFORMED", "The interpreter's path does not end with a NUL");
  if (end === 0) throw new ElfError("ELF_MALFORMED", "The interpreter's path is empty");
  return decodeText(bytes.subarray(0, end));
}
