/** Makes archives that no sane tool writes: every field can be given, also as text. */

const FIELDS = [
  "ino",
  "mode",
  "uid",
  "gid",
  "nlink",
  "mtime",
  "filesize",
  "major",
  "minor",
  "rmajor",
  "rminor",
  "namesize",
  "checksum",
] as const;
export type FieldName = (typeof FIELDS)[number];

/** What stands in an entry; numbers are right unless they are given. */
export interface EntrySpec {
  readonly magic?: string;
  readonly mode?: number;
  readonly ino?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly nlink?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly rmajor?: number;
  readonly rminor?: number;
  readonly checksum?: number;
  /** The name; a NUL is added. */
  readonly name: string | Uint8Array;
  /** NULs in place of the one. */
  readonly nuls?: number;
  readonly data?: string | Uint8Array;
  /** Says another size than that of the data. */
  readonly filesize?: number;
  readonly namesize?: number;
  /** Eight characters that stand in place of a field's digits. */
  readonly text?: Partial<Record<FieldName, string>>;
  readonly upperCase?: boolean;
  /** Leaves out the padding behind the data. */
  readonly unpadded?: boolean;
}

export const REG = 0o100000;
export const DIR = 0o040000;
export const LNK = 0o120000;
export const CHR = 0o020000;
export const BLK = 0o060000;
export const FIFO = 0o010000;
export const SOCK = 0o140000;

export const bytesOf = (value: string | Uint8Array): Uint8Array =>
  typeof value === "string" ? Buffer.from(value) : value;

export const join = (...parts: readonly (string | Uint8Array)[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map(bytesOf)));

export const zeros = (length: number): Uint8Array => new Uint8Array(length);

/** Fills up with zeros to a multiple of 4, or of something else. */
export const padded = (bytes: Uint8Array, multiple = 4): Uint8Array =>
  join(bytes, zeros((multiple - (bytes.length % multiple)) % multiple));

export function sumOf(data: string | Uint8Array): number {
  return bytesOf(data).reduce((sum, byte) => (sum + byte) >>> 0, 0);
}

export function entry(spec: EntrySpec): Uint8Array {
  const name = join(spec.name, zeros(spec.nuls ?? 1));
  const data = bytesOf(spec.data ?? "");
  const values: Record<FieldName, number> = {
    ino: spec.ino ?? 0,
    mode: spec.mode ?? REG | 0o644,
    uid: spec.uid ?? 0,
    gid: spec.gid ?? 0,
    nlink: spec.nlink ?? 1,
    mtime: spec.mtime ?? 1_000_000_000,
    filesize: spec.filesize ?? data.length,
    major: spec.major ?? 0,
    minor: spec.minor ?? 0,
    rmajor: spec.rmajor ?? 0,
    rminor: spec.rminor ?? 0,
    namesize: spec.namesize ?? name.length,
    checksum: spec.checksum ?? 0,
  };
  const digits = FIELDS.map((field) => {
    const hex = spec.text?.[field] ?? values[field].toString(16).padStart(8, "0");
    if (hex.length !== 8) throw new Error(`${field}: "${hex}" has not 8 characters`);
    return spec.upperCase === true ? hex.toUpperCase() : hex;
  }).join("");
  const head = padded(join(Buffer.from((spec.magic ?? "070701") + digits, "latin1"), name));
  return spec.unpadded === true ? join(head, data) : join(head, padded(data));
}

export const trailer = (): Uint8Array => entry({ name: "TRAILER!!!", mode: 0, mtime: 0 });
