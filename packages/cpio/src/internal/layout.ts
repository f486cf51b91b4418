import { CpioError } from "../cpio-error.ts";
import type { CpioType } from "../entry.ts";

// The newc layout, after Documentation/driver-api/early-userspace/buffer-format.rst of the kernel:
// 6 bytes of magic, 13 fields of 8 hexadecimal digits, name with NUL, padding to 4, data, padding to 4.

export const HEADER_SIZE = 110;
export const MAGIC_SIZE = 6;
export const TRAILER = "TRAILER!!!";
export const UINT32_MAX = 0xffff_ffff;

/** PATH_MAX of Linux counts the closing NUL; the kernel silently drops entries with longer names. */
export const NAME_MAX_WITH_NUL = 4096;

/** Fields in the order of the header. */
export const Field = {
  ino: 0,
  mode: 1,
  uid: 2,
  gid: 3,
  nlink: 4,
  mtime: 5,
  filesize: 6,
  major: 7,
  minor: 8,
  rmajor: 9,
  rminor: 10,
  namesize: 11,
  checksum: 12,
} as const;
export const FIELD_COUNT = 13;

/** The file type bits of st_mode. */
export const TYPE_MASK = 0o170000;
export const TYPE_BITS: Readonly<Record<CpioType, number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};

const TYPE_OF_BITS = new Map(
  Object.entries(TYPE_BITS).map(([type, bits]) => [bits, type as CpioType] as const),
);

export function typeOfMode(mode: number): CpioType | undefined {
  return TYPE_OF_BITS.get(mode & TYPE_MASK);
}

/** Bytes that bring `length` to a multiple of 4. */
export function padding4(length: number): number {
  return -length & 3;
}

/** The checksum of the crc format: the plain sum of all bytes modulo 2^32 (not a CRC). */
export function addChecksum(sum: number, bytes: Uint8Array): number {
  let result = sum;
  // Four million bytes of 255 can't overflow an exact integer, so that the modulo is needed rarely.
  for (let start = 0; start < bytes.length; start += 0x40_0000) {
    const end = Math.min(bytes.length, start + 0x40_0000);
    let part = 0;
    for (let index = start; index < end; index++) part = (part + (bytes[index] as number)) | 0;
    result = (result + part) >>> 0;
  }
  return result;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Names are short, and a buffer of its own for each takes longer than to fill it. */
const SLAB_SIZE = 64 * 1024;
let slab = new Uint8Array(SLAB_SIZE);
let slabEnd = 0;

export function toBytes(value: string | Uint8Array): Uint8Array {
  if (typeof value !== "string") return value;
  const { length } = value;
  if (length > 1024) return encoder.encode(value);
  if (slabEnd + length > SLAB_SIZE) {
    slab = new Uint8Array(SLAB_SIZE);
    slabEnd = 0;
  }
  for (let index = 0; index < length; index++) {
    const code = value.charCodeAt(index);
    if (code >= 0x80) return encoder.encode(value);
    slab[slabEnd + index] = code;
  }
  slabEnd += length;
  return slab.subarray(slabEnd - length, slabEnd);
}

export function toText(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** A name for messages: quoted, with everything escaped that could disturb a terminal. */
export function quote(value: string | Uint8Array): string {
  const text = typeof value === "string" ? value : toText(value);
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  // JSON leaves DEL and the C1 controls alone, and terminals obey them.
  return JSON.stringify(shown).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

export function assertBytes(chunk: unknown, what: string): asserts chunk is Uint8Array {
  if (chunk instanceof Uint8Array) return;
  throw new CpioError(
    "CPIO_INVALID_INPUT",
    `${what} must give chunks of type Uint8Array, not ${chunk === null ? "null" : typeof chunk}`,
  );
}
