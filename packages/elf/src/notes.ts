import { ElfError } from "./elf-error.ts";
import { type ElfFile, SegmentType } from "./elf-file.ts";
import { fieldsOf } from "./internal/fields.ts";
import { readRange } from "./internal/read-range.ts";
import { decodeText } from "./internal/strings.ts";
import { readSections, SectionType } from "./sections.ts";

/** A note: a few bytes that some owner left in the file. */
export interface ElfNote {
  /** Such as `GNU`, `FDO`, `Linux`. */
  readonly owner: string;
  /** The meaning depends on the owner. */
  readonly type: number;
  readonly desc: Uint8Array;
}

const NT_GNU_BUILD_ID = 3;
const NOTE_HEADER = 12;

/**
 * Reads all notes: from the PT_NOTE segments, or from the note sections of a file that has no segments at all,
 * as kernel modules.
 *
 * @throws {ElfError} if a note exceeds its segment
 */
export function readNotes(elf: ElfFile): ElfNote[] {
  const places =
    elf.segments.length > 0
      ? elf.segments
          .filter(({ type }) => type === SegmentType.note)
          .map(({ offset, fileSize, align }) => ({ offset, size: fileSize, align }))
      : readSections(elf).filter(({ type }) => type === SectionType.note);
  return places.flatMap(({ offset, size, align }) => parseNotes(elf, offset, size, align));
}

function parseNotes(elf: ElfFile, offset: number, size: number, alignment: number): ElfNote[] {
  const bytes = readRange(elf.source, offset, size, "notes");
  const fields = fieldsOf(bytes, elf.class, elf.endianness);
  // The gABI says 8 for 64-bit files, but everyone writes 4, save for .note.gnu.property.
  const align = alignment === 8 ? 8 : 4;
  const alignUp = (value: number): number => Math.ceil(value / align) * align;
  const notes: ElfNote[] = [];
  for (let base = 0; base < size;) {
    if (size - base < NOTE_HEADER) {
      if (bytes.subarray(base).every((byte) => byte === 0)) break;
      throw new ElfError("ELF_MALFORMED", `The notes at ${offset} end inside a note's header`);
    }
    const nameSize = fields.u32(base);
    const descSize = fields.u32(base + 4);
    const nameStart = base + NOTE_HEADER;
    const descStart = base + alignUp(NOTE_HEADER + nameSize);
    const descEnd = descStart + descSize;
    // Without a description, the padding after the name may be missing at the very end.
    if (nameStart + nameSize > size || (descSize > 0 && descEnd > size)) {
      throw new ElfError(
        "ELF_MALFORMED",
        `The note at ${offset + base} exceeds the ${size} bytes of its notes`,
      );
    }
    const name = bytes.subarray(nameStart, nameStart + nameSize);
    const end = name.indexOf(0);
    notes.push({
      owner: decodeText(end < 0 ? name : name.subarray(0, end)),
      type: fields.u32(base + 8),
      desc: new Uint8Array(bytes.subarray(descStart, descEnd)),
    });
    base = alignUp(descEnd);
  }
  return notes;
}

/**
 * Finds the build id (`.note.gnu.build-id`) among a file's notes: lower-case hex, as `file` and `readelf -n`
 * print it.
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { findBuildId, openElf, readNotes } from "@justenough/elf";
 * console.log(findBuildId(readNotes(openElf(readFileSync("/bin/ls")))));
 * ```
 */
export function findBuildId(notes: readonly ElfNote[]): string | undefined {
  const note = notes.find(({ owner, type }) => owner === "GNU" && type === NT_GNU_BUILD_ID);
  if (note === undefined) return undefined;
  return Array.from(note.desc, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
