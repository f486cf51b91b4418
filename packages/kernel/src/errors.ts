import type { BuildDiagnostic } from "./build-diagnostic.ts";
import type { Refusal } from "@justenough/kconfig";

/** What can go wrong in this package. */
export type KernelErrorCode =
  | "KERNEL_ABORTED"
  | "KERNEL_ARCH"
  | "KERNEL_BUILD"
  | "KERNEL_CHECKSUM"
  | "KERNEL_CONFIG"
  | "KERNEL_DOWNLOAD"
  | "KERNEL_FARM"
  | "KERNEL_FEATURE"
  | "KERNEL_MATRIX"
  | "KERNEL_NO_SPACE"
  | "KERNEL_PRESET"
  | "KERNEL_SOURCE"
  | "KERNEL_TOOL_FAILED"
  | "KERNEL_TOOL_MISSING"
  | "KERNEL_USAGE";

/** Every error of this package; `hint` says what to do about it, `cause` keeps what was caught. */
export class KernelError extends Error {
  readonly code: KernelErrorCode;
  readonly hint: string | undefined;
  /** With KERNEL_CONFIG: each requested symbol that did not take effect. */
  readonly refusals: readonly Refusal[];
  /** With KERNEL_BUILD: the errors of compilers and linkers, the first one first. */
  readonly diagnostics: readonly BuildDiagnostic[];
  override readonly name = "KernelError";

  constructor(
    code: KernelErrorCode,
    message: string,
    details: {
      readonly hint?: string | undefined;
      readonly cause?: unknown;
      readonly refusals?: readonly Refusal[] | undefined;
      readonly diagnostics?: readonly BuildDiagnostic[] | undefined;
    } = {},
  ) {
    super(message, details.cause === undefined ? {} : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.refusals = details.refusals ?? [];
    this.diagnostics = details.diagnostics ?? [];
  }
}
