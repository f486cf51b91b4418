import {
  CpioError,
  type CpioHeader,
  type CpioIndexedEntry,
  type CpioRandomSource,
  IDENTIFY_BYTES,
  identifyFormat,
  indexCpio,
} from "@justenough/cpio";

import { type KernelCompression, kernelDecompress } from "../decompress/kernel-decompress.ts";
import { InitramfsError } from "../error.ts";
import { type ImageFile, openImageFile } from "./image-file.ts";
import { piecesSource } from "./pieces.ts";

/** One entry of an image, as it stands there. */
export interface InitramfsEntry extends CpioHeader {
  /** The compressed member that it is in, by its first byte in the image; undefined if it is not compressed. */
  readonly member: { readonly format: KernelCompression; readonly offset: number } | undefined;
  /** The data; they can be read while the iteration goes on. */
  readonly data: Iterable<Uint8Array>;
}

const COMPRESSED: ReadonlySet<string> = new Set<KernelCompression>([
  "gzip",
  "bzip2",
  "lzma",
  "xz",
  "lzo",
  "lz4",
  "zstd",
]);
/** Zeros between members are looked at in such parts. */
const PART = 4096;

/**
 * Gives the entries of an image in the order of the archive: of all that follow each other in it, plain archives and
 * compressed members alike. Of what is not compressed only the headers are read.
 *
 * What the kernel would make of them is another question, see {@link readImage}.
 *
 * @throws {InitramfsError} for what is no such image
 *
 * @example
 * ```ts no-run
 * import { readInitramfs } from "@justenough/initramfs";
 * for (const { name, size, member } of readInitramfs("/boot/initrd.img")) console.log(name, size, member?.format);
 * ```
 */
export function* readInitramfs(path: string): Generator<InitramfsEntry, void, undefined> {
  const file = openImageFile(path);
  try {
    yield* readMembers(file);
  } finally {
    file.close();
  }
}

function* readMembers(file: ImageFile): Generator<InitramfsEntry, void, undefined> {
  let offset = 0;
  let segment = 0;
  for (;;) {
    offset = skipZeros(file, offset);
    if (offset >= file.size) break;
    const format = identifyFormat(file.read(offset, Math.min(IDENTIFY_BYTES, file.size - offset)));
    const member = isCompression(format) ? decompress(file, offset, format) : undefined;
    const source = member?.source ?? part(file, offset);
    let last = 0;
    try {
      for (const entry of indexCpio(member?.source ?? window(file, offset))) {
        last = entry.segment;
        yield toEntry(entry, source, segment, member === undefined ? offset : 0, member);
      }
      offset = member === undefined ? file.size : offset + member.consumed;
    } catch (error) {
      if (!(error instanceof CpioError)) throw error;
      // A compressed member behind a plain archive.
      if (member !== undefined || error.offset === undefined || !isCompression(error.format)) {
        throw unreadable(file.path, error);
      }
      offset += error.offset;
    }
    segment += last + 1;
  }
  if (segment === 0) throw new InitramfsError("INITRAMFS_FORMAT", `The image "${file.path}" is empty`);
}

interface Member {
  readonly format: KernelCompression;
  readonly offset: number;
  readonly source: CpioRandomSource;
  readonly consumed: number;
}

function decompress(file: ImageFile, offset: number, format: KernelCompression): Member {
  const { pieces, consumed, error } = kernelDecompress(format, file.read(offset, file.size - offset));
  if (error === undefined) return { format, offset, source: piecesSource(pieces), consumed };
  throw new InitramfsError(
    "INITRAMFS_FORMAT",
    `Cannot read the image "${file.path}": the ${format} member at byte ${offset} does not unpack: ${error}`,
    { hint: "See initramfs verify for what the kernel would make of it" },
  );
}

function toEntry(
  entry: CpioIndexedEntry,
  source: CpioRandomSource,
  segment: number,
  base: number,
  member: Member | undefined,
): InitramfsEntry {
  const { dataOffset, size } = entry;
  // In place: it was made for this, and there may be many.
  return Object.assign(entry, {
    segment: segment + entry.segment,
    offset: base + entry.offset,
    member: member === undefined ? undefined : { format: member.format, offset: member.offset },
    data: { [Symbol.iterator]: () => dataOf(source, dataOffset, size) },
  });
}

function* dataOf(
  source: CpioRandomSource,
  start: number,
  size: number,
): Generator<Uint8Array, void, undefined> {
  for (let done = 0; done < size;) {
    const bytes = source.read(start + done, Math.min(1 << 20, size - done));
    done += bytes.length;
    yield bytes;
  }
}

function part(file: ImageFile, offset: number): CpioRandomSource {
  return { size: file.size - offset, read: (at, length) => file.read(offset + at, length) };
}

/** The same with one buffer, which is enough where headers are looked at. */
function window(file: ImageFile, offset: number): CpioRandomSource {
  let buffer = new Uint8Array(0);
  return {
    size: file.size - offset,
    read: (at, length) => {
      if (buffer.length < length) buffer = new Uint8Array(length);
      return buffer.subarray(0, file.readInto(buffer.subarray(0, length), offset + at));
    },
  };
}

function skipZeros(file: ImageFile, start: number): number {
  for (let offset = start; offset < file.size;) {
    const bytes = file.read(offset, Math.min(PART, file.size - offset));
    const found = bytes.findIndex((byte) => byte !== 0);
    if (found >= 0) return offset + found;
    offset += bytes.length;
  }
  return file.size;
}

function isCompression(format: string | undefined): format is KernelCompression {
  return format !== undefined && COMPRESSED.has(format);
}

function unreadable(path: string, error: CpioError): InitramfsError {
  return new InitramfsError("INITRAMFS_FORMAT", `Cannot read the image "${path}": ${error.message}`, {
    cause: error,
    hint: error.hint,
  });
}
