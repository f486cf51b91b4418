import { decodeName } from "../internal/names.ts";
import type { ByteSource } from "./byte-source.ts";
import { layerError } from "./layer-error.ts";
import { parsePax, paxNumber, type PaxRecords, paxXattrs } from "./pax.ts";
import { parseTarHeader, type TarHeader } from "./tar-header.ts";

export type TarType = "file" | "hardlink" | "symlink" | "character" | "block" | "directory" | "fifo";

/** An entry as the archive states it; nothing is checked yet. */
export interface TarEntry {
  readonly name: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970, also negative. */
  readonly mtime: number;
  /** Of the data, which begin at `offset`; 0 for all but files. */
  readonly size: number;
  readonly offset: number;
  readonly linkname: string;
  readonly major: number;
  readonly minor: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array> | undefined;
}

const BLOCK = 512;
const MAX_EXTENDED = 1 << 20;

const TYPES: Readonly<Record<string, TarType>> = {
  "0": "file",
  "\0": "file",
  "7": "file",
  "1": "hardlink",
  "2": "symlink",
  "3": "character",
  "4": "block",
  "5": "directory",
  "6": "fifo",
  // GNU's incremental archives list a directory's names in its data.
  D: "directory",
};

const REFUSED: Readonly<Record<string, string>> = {
  S: "is stored as a sparse file, which is not read; make the archive without --sparse",
  M: "is the rest of a file of another volume",
  N: "uses long names as GNU tar stored them before 1990",
};

/**
 * Reads a tar archive of any dialect: v7, ustar, GNU, pax. It goes from header to header and leaves the data
 * where they are. Not with tar-stream, which reads extended attributes and names as UTF-8 text and so destroys
 * those that are none, and takes a sparse file's map for its content.
 */
export function* readTar(source: ByteSource, archive: string): Generator<TarEntry, void, undefined> {
  const global: PaxRecords = new Map();
  let extended: PaxRecords = new Map();
  for (let at = 0; at < source.size;) {
    const block = source.read(at, BLOCK);
    if (block.length < BLOCK) throw layerError(archive, undefined, "it is cut off within a header");
    const header = parseTarHeader(block, archive);
    if (header === undefined) return;
    const data = at + BLOCK;
    const body = (): Uint8Array => readBody(source, data, header, archive);
    let size = 0;
    switch (header.typeflag) {
      case "g":
        for (const [keyword, value] of parsePax(body(), archive)) global.set(keyword, value);
        ({ size } = header);
        break;
      case "x":
      case "X":
        for (const [keyword, value] of parsePax(body(), archive)) extended.set(keyword, value);
        ({ size } = header);
        break;
      case "L":
        extended.set("path", withoutNul(body()));
        ({ size } = header);
        break;
      case "K":
        extended.set("linkpath", withoutNul(body()));
        ({ size } = header);
        break;
      case "V":
        break;
      default: {
        const entry = toEntry(header, { global, extended }, data, archive);
        size = header.typeflag === "D" ? header.size : entry.size;
        if (data + entry.size > source.size) throw layerError(archive, entry.name, "is cut off");
        yield entry;
        extended = new Map();
      }
    }
    at = data + Math.ceil(size / BLOCK) * BLOCK;
    // Without an end at all it is taken, as GNU tar and Go do it; within a block it must be damaged.
    if (at > source.size) throw layerError(archive, undefined, "it is cut off");
  }
}

interface Pax {
  readonly global: PaxRecords;
  /** Of this entry alone; they win. */
  readonly extended: PaxRecords;
}

function toEntry(header: TarHeader, { global, extended }: Pax, offset: number, archive: string): TarEntry {
  // Looked up rather than merged: a global header may be large, and there may be millions of entries.
  const value = (keyword: string): Uint8Array | undefined =>
    extended.has(keyword) ? extended.get(keyword) : global.get(keyword);
  // A sparse file's own name is one that GNU tar made up for readers that know nothing of it.
  const name = pathOf(value("GNU.sparse.name") ?? value("path"), header.name);
  const refused = REFUSED[header.typeflag];
  if (refused !== undefined) throw layerError(archive, name, refused);
  if ([...extended.keys()].some((keyword) => keyword.startsWith("GNU.sparse."))) {
    throw layerError(archive, name, REFUSED["S"] as string);
  }
  let type = TYPES[header.typeflag];
  if (type === undefined)
    throw layerError(archive, name, `has the unknown type ${JSON.stringify(header.typeflag)}`);
  // v7 had no other way to say "directory".
  if (type === "file" && name.endsWith("/")) type = "directory";
  const number = (keyword: "size" | "uid" | "gid" | "mtime"): number =>
    paxNumber(value(keyword), keyword, archive) ?? header[keyword];
  const size = number("size");
  if (size < 0) throw layerError(archive, name, "has a negative size");
  return {
    name,
    type,
    mode: header.mode & 0o7777,
    uid: number("uid"),
    gid: number("gid"),
    mtime: number("mtime"),
    // Only files have data, whatever the header says of a link: so does Go's archive/tar, which container tools use.
    size: type === "file" ? size : 0,
    offset,
    linkname: pathOf(value("linkpath"), header.linkname),
    major: header.major,
    minor: header.minor,
    xattrs: paxXattrs(extended),
  };
}

function pathOf(extended: Uint8Array | undefined, own: Uint8Array): string {
  return decodeName(extended === undefined || extended.length === 0 ? own : extended);
}

function readBody(source: ByteSource, at: number, { size }: TarHeader, archive: string): Uint8Array {
  if (size < 0 || size > MAX_EXTENDED) {
    throw layerError(
      archive,
      undefined,
      `it has an extended header of ${size} bytes, at most ${MAX_EXTENDED} are read`,
    );
  }
  const bytes = source.read(at, size);
  if (bytes.length < size) throw layerError(archive, undefined, "it is cut off within an extended header");
  // A copy: sources may reuse what they read into.
  return bytes.slice();
}

/** GNU tar stores long names with their closing NUL. */
function withoutNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}
