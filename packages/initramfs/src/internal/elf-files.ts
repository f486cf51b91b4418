import { ElfError, type ElfSummary, readElf } from "@justenough/elf";

import { InitramfsError } from "../error.ts";
import type { FileView } from "./view.ts";

export interface ElfFiles {
  /** The ELF file at a canonical path; `undefined` if it is something else. */
  read(path: string, size: number): ElfSummary | undefined;
}

/** Reads every file once, however many programs need it. */
export function elfFiles(view: FileView): ElfFiles {
  const known = new Map<string, ElfSummary | undefined>();
  return {
    read(path, size) {
      if (known.has(path)) return known.get(path);
      const elf = readFile(view, path, size);
      known.set(path, elf);
      return elf;
    },
  };
}

/** Headers, dynamic section and strings mostly lie in the first pages: one read serves them. */
const HEAD = 16_384;

function readFile(view: FileView, path: string, size: number): ElfSummary | undefined {
  const head = view.read(path, 0, Math.min(HEAD, size));
  if (head[0] !== 0x7f || head[1] !== 0x45 || head[2] !== 0x4c || head[3] !== 0x46) return undefined;
  try {
    return readElf({
      size,
      read: (offset, length) =>
        offset + length <= head.length
          ? head.subarray(offset, offset + length)
          : view.read(path, offset, length),
    });
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    throw new InitramfsError("INITRAMFS_FORMAT", `"${path}" is a damaged ELF file: ${error.message}`, {
      cause: error,
    });
  }
}
