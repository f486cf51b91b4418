/** What went wrong, as a word that programs can switch on. */
export type PxeErrorCode =
  | "PXE_ABORTED"
  | "PXE_ADDRESS_IN_USE"
  | "PXE_ADDRESS_INVALID"
  | "PXE_BINARY_MISSING"
  | "PXE_BUNDLE_INVALID"
  | "PXE_DHCP_INVALID"
  | "PXE_DHCP_OTHER_SERVER"
  | "PXE_DHCP_TOO_LARGE"
  | "PXE_HELPER_FAILED"
  | "PXE_INTERFACE_UNKNOWN"
  | "PXE_LEASES_FAILED"
  | "PXE_LEASES_INVALID"
  | "PXE_LEASES_LOCKED"
  | "PXE_POLICY_INVALID"
  | "PXE_POOL_INVALID"
  | "PXE_PORT_DENIED"
  | "PXE_REQUEST_FAILED"
  | "PXE_SCRIPT_UNREPRESENTABLE"
  | "PXE_SOCKET_FAILED"
  | "PXE_STATE_FAILED"
  | "PXE_TLS_INVALID"
  | "PXE_TOKEN_INVALID"
  | "PXE_UPLOADS_INVALID"
  | "PXE_USAGE";

/**
 * The one error class of this package. `message` says what and where, `hint` what to do about it.
 *
 * @example
 * ```ts
 * import { PxeError, parseIpv4 } from "@justenough/pxe";
 * try { parseIpv4("10.0.0.300"); } catch (error) { if (error instanceof PxeError) console.log(error.code); }
 * ```
 */
export class PxeError extends Error {
  override readonly name = "PxeError";
  readonly code: PxeErrorCode;
  readonly hint?: string;

  constructor(code: PxeErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** The result of reading foreign bytes: a value, or one sentence that says why there is none. */
export type ParseResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string };
