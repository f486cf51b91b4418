import { CpioError } from "../cpio-error.ts";
import type { CpioAttributes, CpioSource, CpioType } from "../entry.ts";
import {
  NAME_MAX_WITH_NUL,
  quote,
  toBytes,
  toText,
  TRAILER,
  TYPE_BITS,
  TYPE_MASK,
  UINT32_MAX,
} from "./layout.ts";

const DEFAULT_MODE: Readonly<Record<CpioType, number>> = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  character: 0o600,
  block: 0o600,
  fifo: 0o600,
  socket: 0o600,
};

function unrepresentable(message: string, hint?: string): CpioError {
  return new CpioError("CPIO_UNREPRESENTABLE", message, { hint });
}

/** Gives the bytes of a name, or refuses it for a reason that a reader could not recover from. */
export function checkName(name: unknown): Uint8Array {
  if (typeof name !== "string" && !(name instanceof Uint8Array)) {
    throw new CpioError("CPIO_INVALID_INPUT", `An entry's name must be text or bytes, not ${typeof name}`);
  }
  const bytes = toBytes(name);
  if (bytes.length === 0) throw unrepresentable("An entry has an empty name");
  if (bytes.length >= NAME_MAX_WITH_NUL) {
    throw unrepresentable(
      `The name ${quote(name)} has ${bytes.length} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL - 1}`,
    );
  }
  if (bytes.includes(0)) throw unrepresentable(`The name ${quote(name)} contains a NUL byte`);
  if (bytes.length === TRAILER.length && toText(bytes) === TRAILER) {
    throw unrepresentable(`The name "${TRAILER}" would end the archive`, `Write "./${TRAILER}" instead`);
  }
  return bytes;
}

/** Gives the bytes of a link's target. The kernel silently drops symlinks with 4096 bytes and more. */
export function checkTarget(name: string | Uint8Array, target: unknown): Uint8Array {
  if (typeof target !== "string" && !(target instanceof Uint8Array)) {
    throw new CpioError("CPIO_INVALID_INPUT", `The symlink ${quote(name)} needs a target of text or bytes`);
  }
  const bytes = toBytes(target);
  if (bytes.length === 0) throw unrepresentable(`The symlink ${quote(name)} has an empty target`);
  if (bytes.length >= NAME_MAX_WITH_NUL) {
    throw unrepresentable(
      `The target of symlink ${quote(name)} has ${bytes.length} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL - 1}`,
    );
  }
  if (bytes.includes(0)) throw unrepresentable(`The target of symlink ${quote(name)} contains a NUL byte`);
  return bytes;
}

/** Checks a number that the header stores in 32 bits. */
export function checkUint32(name: string | Uint8Array, what: string, value: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= UINT32_MAX) return value;
  const hint = typeof value === "number" && value % 1 !== 0 ? "Round it to an integer first" : undefined;
  throw unrepresentable(
    `The ${what} of ${quote(name)} is ${String(value)}, and the format holds integers from 0 to ${UINT32_MAX}`,
    hint,
  );
}

/** Gives the full mode of an entry, type bits included. */
export function checkMode(input: CpioAttributes & { readonly type: CpioType }): number {
  const bits = TYPE_BITS[input.type];
  const mode = input.mode ?? DEFAULT_MODE[input.type];
  if (!Number.isInteger(mode) || mode < 0 || mode > 0o177777) {
    throw unrepresentable(`The mode of ${quote(input.name)} is ${String(mode)}, wanted 0 to 0o177777`);
  }
  if ((mode & TYPE_MASK) !== 0 && (mode & TYPE_MASK) !== bits) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `The mode 0o${mode.toString(8)} of ${quote(input.name)} contradicts its type "${input.type}"`,
    );
  }
  return mode | bits;
}

/** Gives the data of a file in one of two forms, with its size checked against what the header can hold. */
export function checkData(name: string | Uint8Array, data: unknown): Uint8Array | CpioSource {
  if (data === undefined) return new Uint8Array(0);
  const form = typeof data === "string" ? toBytes(data) : data;
  if (!(form instanceof Uint8Array) && !isSource(form)) {
    throw new CpioError(
      "CPIO_INVALID_INPUT",
      `The data of ${quote(name)} must be text, bytes or { size, open() }`,
    );
  }
  const size = form instanceof Uint8Array ? form.length : form.size;
  if (size > UINT32_MAX) {
    throw unrepresentable(
      `The file ${quote(name)} has ${size} bytes, and the format holds at most ${UINT32_MAX} (4 GiB - 1)`,
      "Put it on a disk image, or split it",
    );
  }
  checkUint32(name, "size", size);
  return form;
}

function isSource(data: unknown): data is CpioSource {
  return (
    typeof data === "object" &&
    data !== null &&
    "size" in data &&
    typeof data.size === "number" &&
    "open" in data &&
    typeof data.open === "function"
  );
}
