/** A finding that does not stop the work. */
export interface Diagnostic {
  readonly code: string;
  readonly severity: "error" | "warning" | "note";
  readonly message: string;
  /** The path in the image that it is about. */
  readonly path?: string | undefined;
  readonly hint?: string | undefined;
}
