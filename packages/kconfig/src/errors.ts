/** Where in a text something stands; line and column count from 1. */
export interface Location {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What can go wrong in this package. */
export type KconfigErrorCode =
  | "KCONFIG_SYNTAX"
  | "KCONFIG_CONFLICT"
  | "KCONFIG_REFUSED"
  | "KCONFIG_VALUE"
  | "KCONFIG_HOST"
  | "KCONFIG_SOLVE"
  | "KCONFIG_USAGE";

/** Every error of this package. `location` is where the text at fault stands, `hint` what to do about it. */
export class KconfigError extends Error {
  readonly code: KconfigErrorCode;
  readonly hint: string | undefined;
  readonly location: Location | undefined;
  /** All that was found, when it is more than one thing. */
  readonly diagnostics: readonly Diagnostic[];
  override readonly name = "KconfigError";

  constructor(
    code: KconfigErrorCode,
    message: string,
    details: {
      readonly hint?: string | undefined;
      readonly location?: Location | undefined;
      readonly cause?: unknown;
      readonly diagnostics?: readonly Diagnostic[] | undefined;
    } = {},
  ) {
    super(
      details.location === undefined ? message : `${formatLocation(details.location)}: ${message}`,
      details.cause === undefined ? {} : { cause: details.cause },
    );
    this.code = code;
    this.hint = details.hint;
    this.location = details.location;
    this.diagnostics = details.diagnostics ?? [];
  }
}

/** A finding that does not stop the work. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly location?: Location | undefined;
}

/** `file:line:column`, as compilers print it and editors jump to. */
export function formatLocation(location: Location): string {
  return `${location.file}:${location.line}:${location.column}`;
}

/** A diagnostic as a line: its place, its severity, what it says. */
export function formatDiagnostic({ location, severity, message }: Diagnostic): string {
  return `${location === undefined ? "" : `${formatLocation(location)}: `}${severity}: ${message}`;
}
