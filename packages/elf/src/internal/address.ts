import { ElfError } from "../elf-error.ts";
import { type ElfFile, SegmentType } from "../elf-file.ts";

/** Finds where in the file an address is loaded from, and how many bytes of its segment follow. */
export function fileOffsetOf(
  elf: ElfFile,
  address: bigint,
  what: string,
): { readonly offset: number; readonly available: number } {
  for (const segment of elf.segments) {
    if (segment.type !== SegmentType.load || address < segment.address) continue;
    const distance = address - segment.address;
    if (distance >= BigInt(segment.fileSize)) continue;
    const into = Number(distance);
    return { offset: segment.offset + into, available: segment.fileSize - into };
  }
  throw new ElfError(
    "ELF_MALFORMED",
    `The ${what} at address 0x${address.toString(16)} is in no loaded segment`,
  );
}
