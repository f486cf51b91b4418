/** Everything that can go wrong before or beside a boot; how a boot ended is a {@link BootResult}, not an error. */
export type QemuErrorCode =
  | "QEMU_SPEC_INVALID"
  | "QEMU_NOT_FOUND"
  | "QEMU_TOO_OLD"
  | "QEMU_FILE_UNREADABLE"
  | "QEMU_FILE_UNWRITABLE"
  | "QEMU_FIRMWARE_MISSING"
  | "QEMU_VIRTIOFS_UNUSABLE"
  | "QEMU_KVM_UNUSABLE"
  | "QEMU_START_FAILED"
  | "QEMU_QMP_FAILED"
  | "QEMU_QMP_CLOSED"
  | "QEMU_QMP_PROTOCOL"
  | "QEMU_PORT_UNKNOWN"
  | "QEMU_OUTPUT_LOST"
  | "QEMU_EXPECT_TIMEOUT"
  | "QEMU_EXPECT_CLOSED"
  | "QEMU_NO_SCREEN"
  | "QEMU_NO_TEXT"
  | "QEMU_NETWORK_UNKNOWN"
  | "QEMU_NETWORK_CLOSED"
  | "QEMU_NETWORK_NAME_TAKEN"
  | "QEMU_FRAME_INVALID"
  | "QEMU_AGENT_COMPILER"
  | "QEMU_AGENT_SILENT"
  | "QEMU_AGENT_LOST"
  | "QEMU_AGENT_DAMAGED"
  | "QEMU_AGENT_REQUEST"
  | "QEMU_AGENT_FAILED"
  | "QEMU_AGENT_TIMEOUT";

/**
 * The one error class of this package.
 *
 * @example
 * ```ts
 * import { launch, QemuError } from "@justenough/qemu";
 * try {
 *   await launch({ kernel: "/no/such/bzImage" });
 * } catch (error) {
 *   if (error instanceof QemuError) console.log(error.code, error.hint);
 * }
 * ```
 */
export class QemuError extends Error {
  override readonly name = "QemuError";
  readonly code: QemuErrorCode;
  /** What the reader can do about it. */
  readonly hint: string | undefined;
  /** What QEMU calls a refusal (`QEMU_QMP_FAILED`): `GenericError`, `CommandNotFound`, `DeviceNotFound`, … */
  readonly qmpClass: string | undefined;

  constructor(
    code: QemuErrorCode,
    message: string,
    options: { hint?: string; cause?: unknown; qmpClass?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.qmpClass = options.qmpClass;
  }
}
