/**
 * What went wrong, for programs. Codes are stable; messages are for people and may change.
 *
 * - `ELF_NOT_ELF`: the file does not start with the ELF magic; it may be a script or a linker script.
 * - `ELF_UNSUPPORTED`: an ELF class, byte order or version that does not exist (yet).
 * - `ELF_TRUNCATED`: something that the file points at lies beyond its end.
 * - `ELF_MALFORMED`: fields that contradict each other or the ELF specification.
 * - `ELF_TOO_LARGE`: a table, string or section larger than any real one; see the limits in the README.
 * - `ELF_SOURCE`: the injected source gave other bytes than it was asked for.
 */
export type ElfErrorCode =
  | "ELF_NOT_ELF"
  | "ELF_UNSUPPORTED"
  | "ELF_TRUNCATED"
  | "ELF_MALFORMED"
  | "ELF_TOO_LARGE"
  | "ELF_SOURCE";

/**
 * The only error that this package throws by itself. An error of a caller's own source passes unchanged.
 *
 * @example
 * ```ts
 * import { ElfError, readElf } from "@justenough/elf";
 * try {
 *   readElf(new TextEncoder().encode("#!/bin/sh\n"));
 * } catch (error) {
 *   if (error instanceof ElfError) console.log(error.code); // ELF_NOT_ELF
 * }
 * ```
 */
export class ElfError extends Error {
  override readonly name = "ElfError";
  readonly code: ElfErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: ElfErrorCode,
    message: string,
    details: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.code = code;
    this.hint = details.hint;
  }
}
