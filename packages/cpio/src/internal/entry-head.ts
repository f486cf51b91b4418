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
import { need, type ParseEvent } from "./parse-event.ts";

interface RawHead {
  readonly format: CpioFormat;
  readonly fields: readonly number[];
  readonly offset: number;
  readonly segment: number;
}

/** Reads what stands between a header's numbers and the data; gives undefined for the trailer. */
export function* readEntryHead(
  queue: ByteQueue,
  { format, fields, offset, segment }: RawHead,
): Generator<ParseEvent, CpioHeader | undefined> {
  const field = (name: keyof typeof Field): number => fields[Field[name]] as number;
  const nameBytes = yield* readName(queue, field("namesize"), offset);
  const name = toText(nameBytes);
  const size = field("filesize");
  const mode = field("mode");
  if (name === TRAILER && nameBytes.length === TRAILER.length) {
    if (size !== 0) {
      throw new CpioError("CPIO_HEADER", `The trailer at byte ${offset} announces ${size} bytes of data`, {
        offset,
      });
    }
    return undefined;
  }
  const type = mode > 0o177777 ? undefined : typeOfMode(mode);
  if (type === undefined) {
    throw new CpioError(
      "CPIO_HEADER",
      `The mode 0o${mode.toString(8)} of ${quote(nameBytes)} at byte ${offset} names no file type`,
      { offset },
    );
  }
  const target = type === "symlink" ? yield* readTarget(queue, nameBytes, size, offset) : undefined;
  if (type !== "file" && type !== "symlink" && size !== 0) {
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
  return {
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
    ...(target === undefined ? {} : { target: toText(target), targetBytes: target }),
    format,
    checksum: field("checksum"),
    ...(linked ? { linkKey: `${segment}:${dev.major}:${dev.minor}:${ino}:${type}` } : {}),
    segment,
    offset,
  };
}

/**
 * A name ends with one NUL or, to align the data, with several (gen_init_cpio -a, dracut-cpio, 3cpio).
 * @throws {CpioError} for names that the kernel would drop
 */
function* readName(queue: ByteQueue, nameSize: number, offset: number): Generator<ParseEvent, Uint8Array> {
  const bad = (problem: string): CpioError =>
    new CpioError("CPIO_NAME", `The name of the entry at byte ${offset} ${problem}`, { offset });
  if (nameSize === 0) throw bad("has no bytes, not even its NUL");
  if (nameSize > NAME_MAX_WITH_NUL) {
    throw bad(`has ${nameSize} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL} with the NUL`);
  }
  const padded = nameSize + padding4(HEADER_SIZE + nameSize);
  yield* need(queue, padded, offset, "an entry");
  const bytes = queue.take(padded);
  const end = bytes.indexOf(0);
  if (end < 0 || end >= nameSize) throw bad("does not end with a NUL");
  if (end === 0) throw bad("is empty");
  for (let index = end; index < nameSize; index++) {
    if (bytes[index] !== 0) throw bad(`has bytes after its NUL: ${quote(bytes.subarray(0, nameSize))}`);
  }
  return copyOf(bytes, end);
}

/** Targets end at their size or at NULs (gen_init_cpio stores one). */
function* readTarget(
  queue: ByteQueue,
  name: Uint8Array,
  size: number,
  offset: number,
): Generator<ParseEvent, Uint8Array> {
  const bad = (problem: string): CpioError =>
    new CpioError("CPIO_HEADER", `The target of symlink ${quote(name)} at byte ${offset} ${problem}`, {
      offset,
    });
  if (size > NAME_MAX_WITH_NUL) {
    throw bad(`has ${size} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL - 1}`);
  }
  const padded = size + padding4(size);
  yield* need(queue, padded, offset, "an entry");
  const bytes = queue.take(padded).subarray(0, size);
  const end = bytes.indexOf(0);
  const target = copyOf(bytes, end < 0 ? size : end);
  if (target.length === 0) throw bad("is empty");
  if (target.length >= NAME_MAX_WITH_NUL) {
    throw bad(`has ${size} bytes, and Linux takes at most ${NAME_MAX_WITH_NUL - 1}`);
  }
  if (bytes.subarray(target.length).some((byte) => byte !== 0)) throw bad("has bytes after its NUL");
  return target;
}

/**
 * Names are copied: the chunk that they came in may be large, and an entry must not keep it alive. Not by
 * `slice`, which gives a view when the chunk is a Buffer of Node.
 */
function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(bytes.subarray(0, length));
}
