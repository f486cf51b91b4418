// What do_name(), do_copy() and do_symlink() of init/initramfs.c do in the file system.

import type { CpioType } from "../../entry.ts";
import { quote, toText, TRAILER, TYPE_MASK, typeOfMode } from "../../internal/layout.ts";
import type { KernelLocation } from "../kernel-result.ts";
import { explain } from "./explain.ts";
import {
  changeMode,
  changeOwner,
  cleanPath,
  type FileSystem,
  makeDirectory,
  makeLink,
  makeNode,
  makeSymlink,
  openForWriting,
  truncate,
} from "./file-system.ts";
import { FileWriter } from "./file-writer.ts";
import type { Findings } from "./findings.ts";
import type { KernelHeader } from "./kernel-header.ts";
import { LinkTable } from "./link-table.ts";
import { type Errno, fromLatin1, latin1, lookUp } from "./path-walk.ts";

/** An entry whose name is complete. */
export interface NamedEntry {
  readonly header: KernelHeader;
  /** All bytes of the name field; the name itself ends at the first NUL. */
  readonly nameField: Uint8Array;
  readonly offset: number;
}

interface Located {
  readonly header: KernelHeader;
  readonly location: KernelLocation;
}

/** The C string at the start of some bytes. */
export function cString(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

export class EntryMaker {
  readonly links = new LinkTable();
  readonly #fs: FileSystem;
  readonly #findings: Findings;
  readonly #keepTimes: boolean;
  /** Directories get their times at the end: what is made in them changes these. */
  #directoryTimes: { readonly path: string; readonly mtime: number }[] = [];
  #writer: FileWriter | undefined;
  #entry: Located | undefined;

  constructor(fs: FileSystem, findings: Findings, keepTimes: boolean) {
    this.#fs = fs;
    this.#findings = findings;
    this.#keepTimes = keepTimes;
  }

  /** Makes what an entry names; `copy` if its data are wanted, `abort` if the kernel gave up. */
  place(entry: NamedEntry): "skip" | "copy" | "abort" {
    const { header } = entry;
    const name = cString(entry.nameField);
    const path = latin1(name);
    const location = this.#findings.at(entry.offset, toText(name));
    if (!this.#checkName(entry, location)) return "abort";
    if (path === TRAILER) {
      this.links.reset();
      this.#findings.segment++;
      return "skip";
    }
    const replaced = cleanPath(this.#fs, path, header.mode);
    const type = typeOfMode(header.mode);
    if (replaced && type !== undefined) this.#replaced(location, "something of another type");
    switch (type) {
      case "file":
        return this.#file(header, path, location);
      case "directory":
        this.#directory(header, path, location);
        break;
      case "symlink":
        // The state machine takes another way for these.
        break;
      case undefined:
        this.#findings.add(
          "KERNEL_UNKNOWN_TYPE",
          "warning",
          `${quote(name)} is skipped: its mode ${header.mode.toString(8)} has no type that Linux knows` +
            (replaced ? "; what was there is removed all the same" : ""),
          location,
        );
        break;
      case "character":
      case "block":
      case "fifo":
      case "socket":
        this.#node(header, path, location);
    }
    return "skip";
  }

  symlink(entry: NamedEntry, targetField: Uint8Array): "skip" | "abort" {
    const { header } = entry;
    const name = cString(entry.nameField);
    const path = latin1(name);
    const location = this.#findings.at(entry.offset, toText(name));
    if (!this.#checkName(entry, location)) return "abort";
    // Whatever is there makes way, also an older symlink.
    if (cleanPath(this.#fs, path, 0)) this.#replaced(location, "what was there");
    const target = cString(targetField).slice();
    const errno = makeSymlink(this.#fs, path, target);
    if (errno === "ENAMETOOLONG" && target.length > 4095) {
      this.#findings.add(
        "KERNEL_TARGET_SIZE",
        "warning",
        `${quote(name)} is skipped: its target has ${target.length} bytes, at most 4095 are taken`,
        location,
      );
    } else if (errno !== undefined) {
      this.#dropped(path, errno, location);
    }
    this.#setAttributes(path, header, { follow: false, mode: false, blocked: errno, location });
    this.#setTime(path, header.mtime);
    return "skip";
  }

  /** Writes a piece of the data; with the last one the file is closed and the sum is judged. */
  copy(chunk: Uint8Array, isLast: boolean): void {
    const writer = this.#writer as FileWriter;
    const { header, location } = this.#entry as Located;
    writer.write(chunk, header.summed);
    if (!isLast) return;
    writer.close();
    this.#writer = undefined;
    if (this.#keepTimes) writer.inode.mtime = header.mtime;
    if (header.summed && writer.sum !== header.checksum) this.#findings.abort("bad data checksum", location);
  }

  /** Ends one image: a file may still be open, and the directories get their times. */
  finish(): void {
    this.#writer?.close();
    this.#writer = undefined;
    // The last one first, as in dir_utime(), so that of several entries for a directory the first one's time stays.
    for (const { path, mtime } of this.#directoryTimes.reverse()) this.#setTime(path, mtime);
    this.#directoryTimes = [];
  }

  #file(header: KernelHeader, path: string, location: KernelLocation): "skip" | "copy" {
    const linked = this.#maybeLink(header, path, location);
    if (linked === "failed") return "skip";
    const opened = openForWriting(this.#fs, path, header.mode, linked === "first");
    if (typeof opened === "string") {
      this.#dropped(path, opened, location);
      return "skip";
    }
    if (opened.kind === "fifo") {
      const message = `The kernel waits for a reader of the fifo that ${quote(fromLatin1(path))} is by now, for ever`;
      this.#findings.stop("KERNEL_HANG", message, location);
      return "skip";
    }
    if (opened.kind === "device") {
      this.#findings.add(
        "KERNEL_UNCERTAIN",
        "warning",
        `${quote(fromLatin1(path))} is a device by now: what opening it does depends on its driver`,
        location,
      );
      return "skip";
    }
    const { inode } = opened;
    if (opened.existed && linked === "first") this.#replaced(location, "an earlier file");
    changeOwner(inode, header.uid, header.gid);
    changeMode(inode, header.mode);
    if (header.bodyLength > 0) truncate(inode, header.bodyLength);
    this.#writer = new FileWriter(inode);
    this.#entry = { header, location };
    return "copy";
  }

  #directory(header: KernelHeader, path: string, location: KernelLocation): void {
    const errno = makeDirectory(this.#fs, path, header.mode);
    if (errno !== undefined && errno !== "EEXIST") this.#dropped(path, errno, location);
    this.#setAttributes(path, header, { follow: true, mode: true });
    if (this.#keepTimes) this.#directoryTimes.push({ path, mtime: header.mtime });
  }

  #node(header: KernelHeader, path: string, location: KernelLocation): void {
    if (this.#maybeLink(header, path, location) !== "first") return;
    const errno = makeNode(this.#fs, path, typeOfMode(header.mode) as CpioType, header.mode, header.rdev);
    const found = lookUp(this.#fs.root, path, false);
    // One of the same type that was there before stays, with its device number.
    const same = typeof found !== "string" && ((found.mode ^ header.mode) & TYPE_MASK) === 0;
    const { major, minor } = header.rdev;
    const matches =
      same && (found.rdev === undefined || (found.rdev.major === major && found.rdev.minor === minor));
    if (errno !== undefined && !matches) this.#dropped(path, errno, location);
    const blocked = same ? undefined : errno;
    this.#setAttributes(path, header, { follow: true, mode: true, blocked, location });
    this.#setTime(path, header.mtime);
  }

  #maybeLink(header: KernelHeader, path: string, location: KernelLocation): "first" | "linked" | "failed" {
    if (header.nlink < 2) return "first";
    const { first, forgotten } = this.links.find(header, path);
    if (first === undefined) {
      if (forgotten) {
        this.#findings.add(
          "KERNEL_LINK_FORGOTTEN",
          "warning",
          `${quote(fromLatin1(path))} becomes a file of its own: a trailer came between it and its other names`,
          location,
        );
      }
      return "first";
    }
    const removed = cleanPath(this.#fs, path, 0);
    const errno = makeLink(this.#fs, first, path);
    if (errno === undefined) {
      if (removed) this.#replaced(location, "what was there");
      return "linked";
    }
    const because =
      first === path
        ? "the same name comes twice, and was removed to be linked to itself"
        : `it can't be linked to ${quote(fromLatin1(first))} (${errno}): ${explain(errno)}`;
    const message = `${quote(fromLatin1(path))} is dropped: ${because}`;
    this.#findings.add("KERNEL_DROPPED", "warning", message, location);
    return "failed";
  }

  /** chown and chmod go to whatever is at the path, also if the entry could not be made there. */
  #setAttributes(
    path: string,
    header: KernelHeader,
    how: {
      readonly follow: boolean;
      readonly mode: boolean;
      readonly blocked?: Errno | undefined;
      readonly location?: KernelLocation;
    },
  ): void {
    const inode = lookUp(this.#fs.root, path, how.follow);
    if (typeof inode === "string") return;
    changeOwner(inode, header.uid, header.gid);
    if (how.mode) changeMode(inode, header.mode);
    if (how.blocked === undefined || how.location === undefined) return;
    this.#findings.add(
      "KERNEL_WRONG_TARGET",
      "warning",
      `The owner${how.mode ? " and mode" : ""} of ${quote(fromLatin1(path))} went to the ${inode.type} in its place`,
      how.location,
    );
  }

  #setTime(path: string, mtime: number): void {
    if (!this.#keepTimes) return;
    const inode = lookUp(this.#fs.root, path, false);
    if (typeof inode !== "string") inode.mtime = mtime;
  }

  #checkName({ nameField, header }: NamedEntry, location: KernelLocation): boolean {
    if (nameField[header.nameLength - 1] === 0) return true;
    this.#findings.abort("malformed archive", location);
    return false;
  }

  #dropped(path: string, errno: Errno, location: KernelLocation): void {
    const message = `${quote(fromLatin1(path))} is dropped (${errno}): ${explain(errno)}`;
    this.#findings.add("KERNEL_DROPPED", "warning", message, location);
  }

  #replaced(location: KernelLocation, what: string): void {
    const message = `${quote(location.name ?? "")} replaces ${what}`;
    this.#findings.add("KERNEL_REPLACED", "note", message, location);
  }
}
