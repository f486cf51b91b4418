/** What can go wrong in this package, as a stable word for programs. */
export type ApplianceErrorCode =
  | "APPLIANCE_SPEC_NOT_FOUND"
  | "APPLIANCE_SPEC_INVALID"
  | "APPLIANCE_INPUT_MISSING"
  | "APPLIANCE_COMPILE_FAILED"
  | "APPLIANCE_BUILD_FAILED"
  | "APPLIANCE_BUNDLE_INVALID"
  | "APPLIANCE_PORT_TAKEN"
  | "APPLIANCE_BOOT_FAILED"
  | "APPLIANCE_TIMEOUT"
  | "APPLIANCE_NO_RECORD"
  | "APPLIANCE_NOT_RUNNING"
  | "APPLIANCE_NOT_MINIMAL"
  | "APPLIANCE_EXISTS"
  | "APPLIANCE_USAGE"
  | "APPLIANCE_ABORTED";

/**
 * The one error class of this package: `message` names what, where and the state that was found,
 * `hint` what to do about it. Errors of the packages below are kept as they are or as `cause`.
 */
export class ApplianceError extends Error {
  readonly code: ApplianceErrorCode;
  readonly hint: string | undefined;
  /** Exit status that the command should end with. */
  readonly exitCode: number;

  constructor(
    code: ApplianceErrorCode,
    message: string,
    options: {
      readonly hint?: string | undefined;
      readonly cause?: unknown;
      readonly exitCode?: number | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exitCode =
      options.exitCode ?? (code === "APPLIANCE_USAGE" ? 2 : code === "APPLIANCE_TIMEOUT" ? 124 : 1);
  }

  static {
    this.prototype.name = "ApplianceError";
  }
}
