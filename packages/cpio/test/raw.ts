/** The fields of a hand-made entry; whatever a test wants to get wrong can be given. */
export interface RawEntry {
  readonly magic?: string;
  readonly ino?: number;
  readonly mode?: number;
  readonly nlink?: number;
  readonly size?: number;
  readonly checksum?: number;
  readonly nameSize?: number;
  /** The name with its NULs. */
  readonly name: string;
  readonly data?: string;
  readonly lowerCase?: boolean;
}

const pad4 = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);

/** Writes an entry without any check, after the kernel's buffer-format.rst. */
export function rawEntry(entry: RawEntry): Buffer {
  const name = Buffer.from(entry.name);
  const data = Buffer.from(entry.data ?? "");
  const numbers = [
    entry.ino ?? 0,
    entry.mode ?? 0o100644,
    0,
    0,
    entry.nlink ?? 1,
    0,
    entry.size ?? data.length,
    0,
    0,
    0,
    0,
    entry.nameSize ?? name.length,
    entry.checksum ?? 0,
  ];
  const hex = numbers.map((number) => number.toString(16).padStart(8, "0")).join("");
  const header = (entry.magic ?? "070701") + (entry.lowerCase === true ? hex : hex.toUpperCase());
  return Buffer.concat([pad4(Buffer.concat([Buffer.from(header), name])), pad4(data)]);
}

export const TRAILER = rawEntry({ name: "TRAILER!!!\0", mode: 0 });

export const ZEROS = (length: number): Buffer => Buffer.alloc(length);
