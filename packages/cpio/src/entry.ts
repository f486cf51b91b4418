/** The kinds of file that an archive can hold. */
export type CpioType = "file" | "directory" | "symlink" | "character" | "block" | "fifo" | "socket";

/** `newc` is magic 070701; `crc` is 070702, the same with a sum over each file's bytes. */
export type CpioFormat = "newc" | "crc";

/** A device number. */
export interface CpioDevice {
  readonly major: number;
  readonly minor: number;
}

/**
 * File data that is read only when its turn comes. `open` is called once for newc and twice for crc, whose
 * checksum stands in the header, before the data. A chunk must stay unchanged after it was given.
 */
export interface CpioSource {
  /** Exact number of bytes that `open` will give. */
  readonly size: number;
  readonly open: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** What all entries carry. Numbers are unsigned 32-bit integers. */
export interface CpioAttributes {
  /** Path in the archive. A string is stored as UTF-8; bytes are stored as they are. At most 4095 bytes. */
  readonly name: string | Uint8Array;
  /**
   * Permission bits such as `0o755`, with setuid, setgid and sticky; file type bits are allowed if they agree
   * with `type`. Default: 0o755 for directories, 0o777 for symlinks, 0o644 for files, 0o600 for the rest.
   */
  readonly mode?: number | undefined;
  /** Default 0. */
  readonly uid?: number | undefined;
  /** Default 0. */
  readonly gid?: number | undefined;
  /** Seconds since 1970. Default 0. */
  readonly mtime?: number | undefined;
  /**
   * How many names this file has in the archive, itself included. Needed only for the first of several names,
   * and only when the entries do not come as an array; an array is counted.
   */
  readonly nlink?: number | undefined;
}

export interface CpioFileInput extends CpioAttributes {
  readonly type: "file";
  /** Default: empty. A string is stored as UTF-8. */
  readonly data?: Uint8Array | string | CpioSource | undefined;
}

export interface CpioDirectoryInput extends CpioAttributes {
  readonly type: "directory";
}

export interface CpioSymlinkInput extends CpioAttributes {
  readonly type: "symlink";
  /** Where it points, 1 to 4095 bytes, stored without a closing NUL. */
  readonly target: string | Uint8Array;
}

export interface CpioDeviceInput extends CpioAttributes {
  readonly type: "character" | "block";
  readonly rdev: CpioDevice;
}

export interface CpioNodeInput extends CpioAttributes {
  readonly type: "fifo" | "socket";
}

/** One more name for a file, device, fifo or socket that came earlier; all but the name is the first one's. */
export interface CpioLinkInput {
  readonly type: "link";
  readonly name: string | Uint8Array;
  /** The first name of the file, exactly as it was given. */
  readonly linkTo: string | Uint8Array;
}

/** An entry to be written, see {@link packCpio}. */
export type CpioInput =
  | CpioFileInput
  | CpioDirectoryInput
  | CpioSymlinkInput
  | CpioDeviceInput
  | CpioNodeInput
  | CpioLinkInput;

/** What the header of an entry says. */
export interface CpioHeader {
  /** The name as text (UTF-8, invalid bytes replaced), for people and for comparisons with known names. */
  readonly name: string;
  /** The name as it is stored, without closing NULs. */
  readonly nameBytes: Uint8Array;
  readonly type: CpioType;
  /** The whole mode, file type bits included; `mode & 0o7777` are the permissions. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** As the archive claims; tools other than this package often store the count on the disk. */
  readonly nlink: number;
  readonly ino: number;
  /** The device that the file was on; part of its identity. */
  readonly dev: CpioDevice;
  /** For character and block devices. */
  readonly rdev: CpioDevice;
  /** Bytes of data. */
  readonly size: number;
  /** Symlinks only. */
  readonly target?: string | undefined;
  /** Symlinks only: the target as it is stored, without closing NULs. */
  readonly targetBytes?: Uint8Array | undefined;
  readonly format: CpioFormat;
  /** The sum of the data's bytes as stored; 0 in newc. */
  readonly checksum: number;
  /**
   * Set when `nlink` is at least 2: entries of equal keys are names of one file, and the data may stand at any
   * of them. Never set for symlinks and directories. This is the rule of the kernel's init/initramfs.c.
   */
  readonly linkKey?: string | undefined;
  /** Counts the trailers before this entry. */
  readonly segment: number;
  /** Where its header starts in the input, in bytes. */
  readonly offset: number;
}

/** An entry as {@link unpackCpio} gives it. */
export interface CpioEntry extends CpioHeader {
  /** The data, once. What is not read when the next entry is asked for is skipped. */
  readonly data: AsyncIterable<Uint8Array>;
}

/** An entry as {@link decodeCpio} gives it. */
export interface CpioDecodedEntry extends CpioHeader {
  /** The data: a view into the input where possible. */
  readonly data: Uint8Array;
}
