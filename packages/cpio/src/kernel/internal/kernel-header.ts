import type { CpioDevice } from "../../entry.ts";
import { Field, FIELD_COUNT, MAGIC_SIZE } from "../../internal/layout.ts";

/** A header as init/initramfs.c keeps it. */
export interface KernelHeader {
  /** Magic 070702. */
  readonly summed: boolean;
  readonly ino: number;
  /** 16 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly mtime: number;
  readonly bodyLength: number;
  readonly major: number;
  readonly minor: number;
  readonly rdev: CpioDevice;
  readonly nameLength: number;
  readonly checksum: number;
  /** Some field holds more or other than eight hexadecimal digits. */
  readonly loose: boolean;
}

function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** The magic of a header: what Linux reads, its predecessor that it knows by name, or something else. */
export function magicOf(bytes: Uint8Array): "070701" | "070702" | "070707" | undefined {
  const text = String.fromCharCode(...bytes.subarray(0, MAGIC_SIZE));
  return text === "070701" || text === "070702" || text === "070707" ? text : undefined;
}

export function parseKernelHeader(bytes: Uint8Array, summed: boolean): KernelHeader {
  const fields: number[] = [];
  let loose = false;
  for (let field = 0; field < FIELD_COUNT; field++) {
    const start = MAGIC_SIZE + field * 8;
    let index = start;
    // simple_strtoul() with base 16 passes over a prefix and stops at the first byte that is no digit.
    if (bytes[index] === 48 && ((bytes[index + 1] as number) | 32) === 120) index += 2;
    let value = 0;
    for (; index < start + 8; index++) {
      const digit = digitOf(bytes[index] as number);
      if (digit < 0) break;
      value = value * 16 + digit;
    }
    loose ||= index < start + 8 || ((bytes[start + 1] as number) | 32) === 120;
    fields.push(value);
  }
  const at = (field: keyof typeof Field): number => fields[Field[field]] as number;
  // MKDEV() shifts without a mask, so that a minor above 20 bits changes the major.
  const device = ((at("rmajor") << 20) | at("rminor")) >>> 0;
  return {
    summed,
    ino: at("ino"),
    mode: at("mode") & 0xffff,
    uid: at("uid"),
    gid: at("gid"),
    nlink: at("nlink"),
    mtime: at("mtime"),
    bodyLength: at("filesize"),
    major: at("major"),
    minor: at("minor"),
    rdev: { major: device >>> 20, minor: device & 0xf_ffff },
    nameLength: at("namesize"),
    checksum: at("checksum"),
    loose,
  };
}
