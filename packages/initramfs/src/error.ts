/** What went wrong, for programs; the message is for people. */
export type InitramfsErrorCode =
  | "INITRAMFS_INVALID_OPTION"
  | "INITRAMFS_NOT_FOUND"
  | "INITRAMFS_LIBRARY_NOT_FOUND"
  | "INITRAMFS_WRONG_ARCHITECTURE"
  | "INITRAMFS_NOT_EXECUTABLE"
  | "INITRAMFS_COLLISION"
  | "INITRAMFS_MODULE_NOT_FOUND"
  | "INITRAMFS_UNRESOLVED"
  | "INITRAMFS_TOOL"
  | "INITRAMFS_READ"
  | "INITRAMFS_WRITE"
  | "INITRAMFS_NO_SPACE"
  | "INITRAMFS_FORMAT"
  | "INITRAMFS_LAYER"
  | "INITRAMFS_LIMIT"
  | "INITRAMFS_ABORTED";

export interface InitramfsErrorDetails {
  /** What to do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error class of this package.
 *
 * @example
 * ```ts
 * import { closure, InitramfsError } from "@justenough/initramfs";
 * try {
 *   closure(["no-such-program"]);
 * } catch (error) {
 *   if (error instanceof InitramfsError) console.log(error.code); // INITRAMFS_NOT_FOUND
 * }
 * ```
 */
export class InitramfsError extends Error {
  readonly code: InitramfsErrorCode;
  readonly hint?: string;

  constructor(code: InitramfsErrorCode, message: string, details: InitramfsErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "InitramfsError";
    this.code = code;
    if (details.hint !== undefined) this.hint = details.hint;
  }
}
