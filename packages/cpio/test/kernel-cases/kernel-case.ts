import { type EntrySpec, DIR, entry, LNK, REG } from "./segment.ts";

/** Where a case puts its files, so that many fit into one image. */
export interface Corner {
  /** The directory that is its own. */
  readonly dir: string;
  /** The device number of its files, so that its inode numbers are its own too. */
  readonly major: number;
  /** An entry below `dir` unless the name starts with a slash. */
  entry(spec: EntrySpec): Uint8Array;
  file(name: string, data?: string | Uint8Array, more?: Partial<EntrySpec>): Uint8Array;
  directory(name: string, more?: Partial<EntrySpec>): Uint8Array;
  symlink(name: string, target: string | Uint8Array, more?: Partial<EntrySpec>): Uint8Array;
}

/** One thing that the kernel is asked. */
export interface KernelCase {
  readonly name: string;
  /** The bytes that follow the entry of the case's own directory. */
  readonly make: (corner: Corner) => Uint8Array;
}

export function corner(dir: string, major: number): Corner {
  const here = (spec: EntrySpec): Uint8Array => {
    const name = Buffer.from(spec.name);
    const isAbsolute = name[0] === 0x2f;
    return entry({ major, ...spec, name: isAbsolute ? name : Buffer.concat([Buffer.from(`${dir}/`), name]) });
  };
  return {
    dir,
    major,
    entry: here,
    file: (name, data = "", more = {}) => here({ name, data, mode: REG | 0o644, ...more }),
    directory: (name, more = {}) => here({ name, mode: DIR | 0o755, nlink: 2, ...more }),
    symlink: (name, target, more = {}) => here({ name, data: target, mode: LNK | 0o777, ...more }),
  };
}
