/**
 * What went wrong, for programs. Codes are stable; messages are for people and may change.
 *
 * - `UKI_NOT_PE`, `UKI_UNSUPPORTED`, `UKI_TRUNCATED`, `UKI_MALFORMED`, `UKI_TOO_LARGE`: what a file that was read is not.
 * - `UKI_NO_SECTION`: a section that was asked for is not there.
 * - `UKI_STUB_MISSING`, `UKI_STUB_UNSUITABLE`, `UKI_NO_ROOM`: the stub, the last when its headers are full.
 * - `UKI_KERNEL_UNSUITABLE`, `UKI_CMDLINE_INVALID`, `UKI_SECTION_INVALID`: what was to be put into an image.
 * - `UKI_FILE`, `UKI_FILE_CHANGED`, `UKI_ABORTED`, `UKI_USAGE`: files, signals and the command line.
 */
export type UkiErrorCode =
  | "UKI_ABORTED"
  | "UKI_CMDLINE_INVALID"
  | "UKI_FILE"
  | "UKI_FILE_CHANGED"
  | "UKI_KERNEL_UNSUITABLE"
  | "UKI_MALFORMED"
  | "UKI_NOT_PE"
  | "UKI_NO_ROOM"
  | "UKI_NO_SECTION"
  | "UKI_SECTION_INVALID"
  | "UKI_STUB_MISSING"
  | "UKI_STUB_UNSUITABLE"
  | "UKI_TOO_LARGE"
  | "UKI_TRUNCATED"
  | "UKI_UNSUPPORTED"
  | "UKI_USAGE";

/**
 * The one error class of this package. `message` says what and where, `hint` what to do about it.
 *
 * @example
 * ```ts
 * import { readPe, UkiError } from "@justenough/uki";
 * try {
 *   await readPe(new TextEncoder().encode("#!/bin/sh\n"));
 * } catch (error) {
 *   if (error instanceof UkiError) console.log(error.code); // UKI_NOT_PE
 * }
 * ```
 */
export class UkiError extends Error {
  override readonly name = "UkiError";
  readonly code: UkiErrorCode;
  readonly hint?: string;

  constructor(
    code: UkiErrorCode,
    message: string,
    details: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    if (details.hint !== undefined) this.hint = details.hint;
  }
}
