import { QemuError } from "../errors.ts";

/** A machine that can't be, and what its author can do. */
export function invalid(message: string, hint?: string): QemuError {
  return new QemuError(
    "QEMU_SPEC_INVALID",
    `Invalid machine: ${message}`,
    hint === undefined ? {} : { hint },
  );
}
