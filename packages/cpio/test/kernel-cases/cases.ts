import { ARCHIVE_CASES } from "./archives.ts";
import { ENTRY_CASES } from "./entries.ts";
import { FILE_CASES } from "./files.ts";
import type { KernelCase } from "./kernel-case.ts";

/** All that were thought of. */
export const CRAFTED_CASES: readonly KernelCase[] = [...ENTRY_CASES, ...FILE_CASES, ...ARCHIVE_CASES];
