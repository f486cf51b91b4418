import type { ElfFile } from "./elf-file.ts";
import { decodeText } from "./internal/strings.ts";
import { readSection } from "./sections.ts";

/**
 * Reads the `.comment` section: which compilers and linkers made the file, each once. An empty list if there is none.
 *
 * @throws {ElfError} if the section is damaged
 *
 * @example
 * ```ts
 * import { readFileSync } from "node:fs";
 * import { openElf, readComments } from "@justenough/elf";
 * console.log(readComments(openElf(readFileSync(process.execPath)))); // [ 'GCC: (GNU) 12.2.1 …', … ]
 * ```
 */
export function readComments(elf: ElfFile): string[] {
  const bytes = readSection(elf, ".comment");
  if (bytes === undefined) return [];
  return [...new Set(decodeText(bytes).split("\0"))].filter((line) => line !== "");
}
