import { ElfError } from "./elf-error.ts";
import type { ElfFile } from "./elf-file.ts";
import { decodeText } from "./internal/strings.ts";
import { readSection } from "./sections.ts";

/** One line of `modinfo`, such as `license` = `GPL`. Keys repeat (`alias`, `parm`, `firmware`, …). */
export interface ModuleInfo {
  readonly key: string;
  readonly value: string;
}

/**
 * Reads the `.modinfo` section of a kernel module: what `modinfo` prints, in the file's order. Gives undefined
 * if there is no such section.
 *
 * @throws {ElfError} if the section is damaged
 */
export function readModuleInfo(elf: ElfFile): ModuleInfo[] | undefined {
  const bytes = readSection(elf, ".modinfo");
  return bytes === undefined ? undefined : parseModuleInfo(bytes);
}

/**
 * Parses the text of a `.modinfo` section: strings `key=value` with a NUL after each, and runs of NULs.
 *
 * @throws {ElfError} for a string without "="
 *
 * @example
 * ```ts
 * import { parseModuleInfo } from "@justenough/elf";
 * console.log(parseModuleInfo(new TextEncoder().encode("license=GPL\0depends=crc32c\0")).length); // 2
 * ```
 */
export function parseModuleInfo(bytes: Uint8Array): ModuleInfo[] {
  const lines = decodeText(bytes)
    .split("\0")
    .filter((line) => line !== "");
  return lines.map((line) => {
    const equals = line.indexOf("=");
    if (equals < 0) {
      throw new ElfError(
        "ELF_MALFORMED",
        `The module information ${JSON.stringify(line.slice(0, 80))} has no "="`,
      );
    }
    return { key: line.slice(0, equals), value: line.slice(equals + 1) };
  });
}
