import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { basename } from "node:path";

import { CpioError, type CpioFormat, type CpioInput, type CpioSource, packCpioSync } from "@justenough/cpio";

import { InitramfsError } from "./error.ts";
import { readError } from "./internal/host-view.ts";
import { decodeName, encodeName, quoteName } from "./internal/names.ts";
import { replaceFile } from "./internal/replace-file.ts";
import { type Environment, type ListEntry, parseListLine } from "./layers/list-line.ts";

export interface GenInitCpioOptions {
  /** The list: a path, or a number for a file that is open. */
  readonly list: string | number;
  /** The archive: a path, or a number for a file that is open, such as 1. */
  readonly output: string | number;
  /** Seconds since 1970 for all entries, default 0. */
  readonly timestamp?: number | undefined;
  /** `crc` writes checksums of the data (gen_init_cpio -c). Default `newc`. */
  readonly format?: CpioFormat | undefined;
  /** Data of more than so many bytes begin at a multiple of it (gen_init_cpio -a). */
  readonly dataAlign?: number | undefined;
  /** For `${NAME}` in locations, default the process's environment. */
  readonly env?: Environment | undefined;
}

/**
 * Makes an archive of a list as the kernel's usr/gen_init_cpio.c does, entry by entry in the order of the list, with
 * little memory however long it is. A kernel unpacks both to the same; times are not those of today and of the files
 * but 0 unless they are given, and hard links carry their data at the first name.
 *
 * @throws {InitramfsError} with the line of the list. An archive with a name of its own is complete or not there.
 *
 * @example
 * ```ts no-run
 * import { genInitCpio } from "@justenough/initramfs";
 * await genInitCpio({ list: "initramfs.list", output: "initramfs.cpio" });
 * ```
 */
export async function genInitCpio(options: GenInitCpioOptions): Promise<void> {
  const { list, output, env = process.env } = options;
  if (typeof output === "number") {
    generate(list, output, options, env);
    return;
  }
  await replaceFile(output, (temporary) => {
    const fd = openSync(temporary, "wx");
    try {
      generate(list, fd, options, env);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    return Promise.resolve();
  });
}

function generate(list: string | number, fd: number, options: GenInitCpioOptions, env: Environment): void {
  const { timestamp = 0, format, dataAlign } = options;
  const place: Place = { name: typeof list === "number" ? "list" : basename(list), line: 0 };
  try {
    for (const chunk of packCpioSync(entries(readList(list), place, timestamp, env), { format, dataAlign })) {
      for (let done = 0; done < chunk.length;) done += writeSync(fd, chunk, done);
    }
  } catch (error) {
    if (!(error instanceof CpioError)) throw error;
    const where = error.code === "CPIO_INVALID_INPUT" ? "" : `${place.name}:${place.line}: `;
    throw new InitramfsError("INITRAMFS_LAYER", `${where}${error.message}`, {
      cause: error,
      hint: error.hint,
    });
  }
}

function readList(list: string | number): string {
  try {
    return decodeName(readFileSync(list));
  } catch (error) {
    throw readError(String(list), error);
  }
}

/** Large files take few calls, small ones a corner of it. */
const BUFFER = 1 << 20;

/** The line that is being worked on. */
interface Place {
  readonly name: string;
  line: number;
}

function* entries(
  text: string,
  place: Place,
  mtime: number,
  env: Environment,
): Generator<CpioInput, void, undefined> {
  const where = (): string => `${place.name}:${place.line}`;
  const buffer = new Uint8Array(BUFFER);
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start);
    const end = newline < 0 ? text.length : newline;
    place.line++;
    const entry = parseListLine(text.slice(start, end), where, env);
    start = end + 1;
    if (entry?.kind === "file") yield* fileEntries(entry, mtime, where, buffer);
    else if (entry !== undefined) yield nodeEntry(entry, mtime, where);
  }
}

/** The name in the archive, which has no leading slash. */
function archiveName(name: string, where: () => string): string | Uint8Array {
  const own = name.startsWith("/") ? name.slice(1) : name;
  if (own !== "") return encodeName(own);
  throw new InitramfsError("INITRAMFS_LAYER", `${where()}: ${quoteName(name)} is the root directory`, {
    hint: "Its mode and owner are the kernel's; leave the line out",
  });
}

function nodeEntry(
  entry: Exclude<ListEntry, { kind: "file" }>,
  mtime: number,
  where: () => string,
): CpioInput {
  const { mode, uid, gid } = entry;
  const common = { name: archiveName(entry.names[0], where), mode, uid, gid, mtime };
  switch (entry.kind) {
    case "link":
      return { type: "symlink", target: encodeName(entry.to), ...common };
    case "device":
      return { type: entry.type, rdev: { major: entry.major, minor: entry.minor }, ...common };
    default:
      return { type: entry.kind, ...common };
  }
}

function* fileEntries(
  entry: Extract<ListEntry, { kind: "file" }>,
  mtime: number,
  where: () => string,
  buffer: Uint8Array,
): Generator<CpioInput, void, undefined> {
  const { location, names, mode, uid, gid } = entry;
  let fd: number | undefined;
  try {
    fd = openSync(encodeName(location), constants.O_RDONLY);
    const name = archiveName(names[0], where);
    const data = readData(fd, buffer);
    if (names.length === 1) {
      yield { type: "file", name, mode, uid, gid, mtime, data };
      return;
    }
    yield { type: "file", name, mode, uid, gid, mtime, nlink: names.length, data };
    for (const other of names.slice(1)) yield { type: "link", name: archiveName(other, where), linkTo: name };
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined) throw error;
    const problems: Readonly<Record<string, string>> = { ENOENT: "does not exist", EISDIR: "is a directory" };
    throw notFound(where(), location, problems[code ?? ""] ?? `cannot be read (${code})`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** What fills no buffer is read at once, and its size is that; of the rest the first part is at hand when it is wanted. */
function readData(fd: number, buffer: Uint8Array): Uint8Array | CpioSource {
  const got = readSync(fd, buffer, 0, buffer.length, null);
  if (got < buffer.length) return buffer.subarray(0, got);
  const { size } = fstatSync(fd);
  let isFresh = true;
  return {
    size,
    *open() {
      let done = 0;
      if (isFresh) {
        isFresh = false;
        done = got;
        yield buffer;
      }
      // So much as was announced; a file that has grown since is none of ours, one that shrank is noticed.
      while (done < size) {
        const more = readSync(fd, buffer, 0, Math.min(buffer.length, size - done), done);
        if (more === 0) return;
        done += more;
        yield buffer.subarray(0, more);
      }
    },
  };
}

function notFound(where: string, location: string, problem: string): InitramfsError {
  return new InitramfsError("INITRAMFS_NOT_FOUND", `${where}: the file ${quoteName(location)} ${problem}`);
}
