import { ElfError } from "./elf-error.ts";
import type { ElfNote } from "./notes.ts";

export type DlopenPriority = "required" | "recommended" | "suggested";

/** A library that the program may load at run time by dlopen(3). */
export interface DlopenDependency {
  /** Alternatives, the preferred one first. */
  readonly sonames: readonly string[];
  readonly priority: DlopenPriority;
  readonly feature: string | undefined;
  readonly description: string | undefined;
}

const DLOPEN_OWNER = "FDO";
const DLOPEN_TYPE = 0x407c_0c0a;
const PRIORITIES: readonly string[] = ["required", "recommended", "suggested"];

/**
 * Finds what a file declares about its use of dlopen(3): the notes of type 0x407c0c0a that are named
 * `.note.dlopen` by the UAPI group's "dlopen() Metadata for ELF Files" (UAPI.12). Without a priority it is
 * `recommended`, as specified.
 *
 * @throws {ElfError} if a note is no JSON of that form
 */
export function findDlopen(notes: readonly ElfNote[]): DlopenDependency[] {
  return notes
    .filter(({ owner, type }) => owner === DLOPEN_OWNER && type === DLOPEN_TYPE)
    .flatMap(({ desc }) => parseDlopen(desc));
}

function parseDlopen(desc: Uint8Array): DlopenDependency[] {
  const end = desc.indexOf(0);
  const bytes = end < 0 ? desc : desc.subarray(0, end);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new ElfError("ELF_MALFORMED", "A dlopen note holds no JSON", { cause });
  }
  // The specification has an array of objects; its first version allowed a single object too.
  return (Array.isArray(value) ? (value as unknown[]) : [value]).map(parseDependency);
}

function parseDependency(value: unknown): DlopenDependency {
  const bad = (problem: string): ElfError => new ElfError("ELF_MALFORMED", `A dlopen note ${problem}`);
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("holds no object");
  const { soname, priority, feature, description } = value as Record<string, unknown>;
  const sonames: unknown = typeof soname === "string" ? [soname] : soname;
  if (!Array.isArray(sonames) || sonames.length === 0 || !sonames.every((name) => typeof name === "string")) {
    throw bad('has no "soname" that is a name or a list of names');
  }
  if (priority !== undefined && !(typeof priority === "string" && PRIORITIES.includes(priority))) {
    throw bad(`has the priority ${JSON.stringify(priority)}, wanted one of ${PRIORITIES.join(", ")}`);
  }
  return {
    sonames,
    priority: (priority ?? "recommended") as DlopenPriority,
    feature: typeof feature === "string" ? feature : undefined,
    description: typeof description === "string" ? description : undefined,
  };
}
