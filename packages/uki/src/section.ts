import { UkiError } from "./errors.ts";
import { openSource, type Source, type UkiInput } from "./internal/source.ts";
import { type PeFile, type PeSection, readPeSource } from "./pe.ts";

const CHUNK = 256 * 1024;

/**
 * Size of a section without the padding of the file. Some linkers leave the size in memory at 0
 * where it is that in the file.
 */
export function contentSize({ virtualSize, rawSize }: PeSection): number {
  return virtualSize === 0 ? rawSize : Math.min(virtualSize, rawSize);
}

/**
 * The bytes of the first section of that name, a quarter of a megabyte at a time.
 *
 * @throws UkiError `UKI_NO_SECTION`, `UKI_TRUNCATED`, and what {@link readPe} throws
 * @example
 * ```ts no-run
 * import { createWriteStream } from "node:fs";
 * import { pipeline } from "node:stream/promises";
 * import { streamSection } from "@justenough/uki";
 * await pipeline(streamSection("appliance.efi", ".linux"), createWriteStream("vmlinuz"));
 * ```
 */
export async function* streamSection(input: UkiInput, name: string): AsyncGenerator<Uint8Array, void> {
  const source = await openSource(input);
  try {
    const pe = await readPeSource(source);
    const section = findSection(pe, name);
    if (section === undefined) {
      throw new UkiError("UKI_NO_SECTION", `There is no section "${name}" in ${source.name}`, {
        hint: `It has ${pe.sections.map((one) => JSON.stringify(one.name)).join(", ") || "none"}`,
      });
    }
    const size = checkedSize(source, section);
    for (let done = 0; done < size; done += CHUNK) {
      yield await source.read(section.rawOffset + done, Math.min(CHUNK, size - done));
    }
  } finally {
    await source.close();
  }
}

export function findSection(pe: PeFile, name: string): PeSection | undefined {
  return pe.sections.find((section) => section.name === name);
}

/** A whole section, for small ones. */
export async function readSection(source: Source, section: PeSection): Promise<Uint8Array> {
  return source.read(section.rawOffset, checkedSize(source, section));
}

function checkedSize(source: Source, section: PeSection): number {
  const size = contentSize(section);
  if (section.rawOffset + size > source.size) {
    throw new UkiError(
      "UKI_TRUNCATED",
      `Section ${JSON.stringify(section.name)} (${size} bytes at ${section.rawOffset}) is not within the ${source.size} bytes of ${source.name}`,
      { hint: "The file is damaged or was copied only in part" },
    );
  }
  return size;
}
