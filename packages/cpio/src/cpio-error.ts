/**
 * What went wrong, for programs. Codes are stable; messages are for people and may change.
 *
 * - `CPIO_INVALID_INPUT`: an option or entry that makes no sense, or a chunk that is not a `Uint8Array`.
 * - `CPIO_UNREPRESENTABLE`: an entry that the newc format can't hold (size, name, time, number).
 * - `CPIO_SIZE_MISMATCH`: a data source gave more or fewer bytes than it announced, or changed while read.
 * - `CPIO_LINK`: a hard link without its first name, or a link count that was not kept.
 * - `CPIO_EMPTY`: there is not a single byte of an archive in the input.
 * - `CPIO_FOREIGN`: bytes that are no newc or crc header, possibly another format (`format` names it).
 * - `CPIO_ALIGNMENT`: a header that does not start at a multiple of 4.
 * - `CPIO_HEADER`: a header field that is not hexadecimal, or contradicts the entry's type.
 * - `CPIO_NAME`: a name without its NUL, empty, too long, or with bytes after the NUL.
 * - `CPIO_TRUNCATED`: the input ends inside an entry, or before a trailer that was required.
 * - `CPIO_CHECKSUM`: the data of a crc entry do not add up to its checksum.
 * - `CPIO_LIMIT`: a limit of the caller was exceeded.
 */
export type CpioErrorCode =
  | "CPIO_INVALID_INPUT"
  | "CPIO_UNREPRESENTABLE"
  | "CPIO_SIZE_MISMATCH"
  | "CPIO_LINK"
  | "CPIO_EMPTY"
  | "CPIO_FOREIGN"
  | "CPIO_ALIGNMENT"
  | "CPIO_HEADER"
  | "CPIO_NAME"
  | "CPIO_TRUNCATED"
  | "CPIO_CHECKSUM"
  | "CPIO_LIMIT";

/** What a {@link CpioError} knows besides its message. */
export interface CpioErrorDetails {
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** Where in the input the trouble starts, in bytes; set by the reader. */
  readonly offset?: number | undefined;
  /** For `CPIO_FOREIGN`: the format that the bytes look like, as {@link identifyFormat} calls it. */
  readonly format?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The only error that this package throws by itself. An error of a caller's own data source passes unchanged.
 *
 * @example
 * ```ts
 * import { CpioError, decodeCpio } from "@justenough/cpio";
 * try {
 *   decodeCpio(new Uint8Array([0x1f, 0x8b, 8, 0]));
 * } catch (error) {
 *   if (error instanceof CpioError) console.log(error.code, error.format); // CPIO_FOREIGN gzip
 * }
 * ```
 */
export class CpioError extends Error {
  override readonly name = "CpioError";
  readonly code: CpioErrorCode;
  readonly hint: string | undefined;
  readonly offset: number | undefined;
  readonly format: string | undefined;

  constructor(code: CpioErrorCode, message: string, details: CpioErrorDetails = {}) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.code = code;
    this.hint = details.hint;
    this.offset = details.offset;
    this.format = details.format;
  }
}
