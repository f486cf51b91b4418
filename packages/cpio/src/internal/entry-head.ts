import { CpioError } from "../cpio-error.ts";
import type { CpioFormat, CpioHeader } from "../entry.ts";
import type { ByteQueue } from "./byte-queue.ts";
import {
  Field,
  HEADER_SIZE,
  NAME_MAX_WITH_NUL,
  padding4,
  quote,
  toText,
  TRAILER,
  typeOfMode,
} from "./layout.ts";
import { truncated } from "./parse-event.ts";
import { parseFields } from "./read-header.ts";

/** What stands before the data of an entry. */
export interface EntryHead {
  /** Undefined for the trailer. */
  readonly entry: CpioHeader | undefined;
  /** Bytes up to the data, the target of a symlink included. */
  readonly size: number;
}

/**
 * Reads the head that starts at the front of the queue, whose fixed part must be there, without taking it; undefined
 * if more bytes are to come.
 */
export function readHead(queue: ByteQueue, format: CpioFormat, segment: number): EntryHead | undefined {
  const offset = queue.position;
  const fields = parseFields(queue.peek(HEADER_SIZE), offset);
  const field = (name: keyof typeof Field): number => fields[Field[name]] as number;
  const nameSize = field("namesize");
  const bad = (problem: string): CpioError =>
    new CpioError("CPIO_NAME", `The name of the entry at byte ${offset} ${problem}`, { offset });
  if (nameSize === 0) throw bad("has no bytes, not even its NUL");
  if (nameSize > NAME_MAX_WITH_NUL) {
    throw bad(`has ${nameSize} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL} with the NUL`);
  }
  const nameEnd = HEADER_SIZE + nameSize + padding4(HEADER_SIZE + nameSize);
  if (!isThere(queue, nameEnd, offset)) return undefined;
  const nameBytes = readName(queue.peek(nameEnd).subarray(HEADER_SIZE), nameSize, bad);
  const name = toText(nameBytes);
  const size = field("filesize");
  const mode = field("mode");
  if (nameBytes.length === TRAILER.length && name === TRAILER) {
    if (size === 0) return { entry: undefined, size: nameEnd };
    throw new CpioError("CPIO_HEADER", `The trailer at byte ${offset} announces ${size} bytes of data`, {
      offset,
    });
  }
  const type = mode > 0o177777 ? undefined : typeOfMode(mode);
  if (type === undefined) {
    throw new CpioError(
      "CPIO_HEADER",
      `The mode 0o${mode.toString(8)} of ${quote(nameBytes)} at byte ${offset} names no file type`,
      { offset },
    );
  }
  let end = nameEnd;
  let targetBytes: Uint8Array | undefined;
  if (type === "symlink") {
    const wrong = (problem: string): CpioError =>
      new CpioError("CPIO_HEADER", `The target of symlink ${quote(nameBytes)} at byte ${offset} ${problem}`, {
        offset,
      });
    const tooLong = `has ${size} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL - 1}`;
    if (size > NAME_MAX_WITH_NUL) throw wrong(tooLong);
    end += size + padding4(size);
    if (!isThere(queue, end, offset)) return undefined;
    targetBytes = readTarget(queue.peek(end).subarray(nameEnd, nameEnd + size), wrong, tooLong);
  } else if (type !== "file" && size !== 0) {
    throw new CpioError(
      "CPIO_HEADER",
      `The ${type} ${quote(nameBytes)} at byte ${offset} announces ${size} bytes of data`,
      { offset, hint: "Only files and symlinks have data; Linux would drop this entry" },
    );
  }
  const dev = { major: field("major"), minor: field("minor") };
  const nlink = field("nlink");
  const ino = field("ino");
  const linked = nlink >= 2 && type !== "symlink" && type !== "directory";
  const entry: CpioHeader = {
    name,
    nameBytes,
    type,
    mode,
    uid: field("uid"),
    gid: field("gid"),
    mtime: field("mtime"),
    nlink,
    ino,
    dev,
    rdev: { major: field("rmajor"), minor: field("rminor") },
    size,
    ...(targetBytes === undefined ? undefined : { target: toText(targetBytes), targetBytes }),
    format,
    checksum: field("checksum"),
    ...(linked ? { linkKey: `${segment}:${dev.major}:${dev.minor}:${ino}:${type}` } : undefined),
    segment,
    offset,
  };
  return { entry, size: end };
}

function isThere(queue: ByteQueue, length: number, offset: number): boolean {
  if (queue.available >= length) return true;
  if (queue.ended) throw truncated(queue.position + queue.available, offset, "an entry");
  return false;
}

/**
 * A name ends with one NUL or, to align the data, with several (gen_init_cpio -a, dracut-cpio, 3cpio).
 * @throws {CpioError} for names that the kernel would drop
 */
function readName(bytes: Uint8Array, nameSize: number, bad: (problem: string) => CpioError): Uint8Array {
  const end = bytes.indexOf(0);
  if (end < 0 || end >= nameSize) throw bad("does not end with a NUL");
  if (end === 0) throw bad("is empty");
  for (let index = end; index < nameSize; index++) {
    if (bytes[index] !== 0) throw bad(`has bytes after its NUL: ${quote(bytes.subarray(0, nameSize))}`);
  }
  return copyOf(bytes, end);
}

/** Targets end at their size or at NULs (gen_init_cpio stores one). */
function readTarget(bytes: Uint8Array, bad: (problem: string) => CpioError, tooLong: string): Uint8Array {
  const end = bytes.indexOf(0);
  const target = copyOf(bytes, end < 0 ? bytes.length : end);
  if (target.length === 0) throw bad("is empty");
  if (target.length >= NAME_MAX_WITH_NUL) throw bad(tooLong);
  if (bytes.subarray(target.length).some((byte) => byte !== 0)) throw bad("has bytes after its NUL");
  return target;
}

const SLAB_SIZE = 16 * 1024;
let slab = new Uint8Array(SLAB_SIZE);
let slabEnd = 0;

/**
 * Names are copied: the chunk that they came in may be large, and an entry must not keep it alive. Short ones share a
 * small buffer, since one for each takes longer than all else.
 */
function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  if (length > 1024) return new Uint8Array(bytes.subarray(0, length));
  if (slabEnd + length > SLAB_SIZE) {
    slab = new Uint8Array(SLAB_SIZE);
    slabEnd = 0;
  }
  const copy = slab.subarray(slabEnd, slabEnd + length);
  for (let index = 0; index < length; index++) copy[index] = bytes[index] as number;
  slabEnd += length;
  return copy;
}
