// The state machine of init/initramfs.c. It is fed with a whole image, or with one piece after another of what a
// decompressor gives, and its memory between two pieces is what makes their borders matter.

import { quote, toText, TYPE_BITS, TYPE_MASK } from "../../internal/layout.ts";
import { cString, type EntryMaker } from "./entry-maker.ts";
import type { Findings } from "./findings.ts";
import { type KernelHeader, magicOf, parseKernelHeader } from "./kernel-header.ts";
import type { KernelTraits } from "./kernel-version.ts";

export type State = "start" | "collect" | "header" | "skip" | "name" | "copy" | "symlink" | "reset";

const HEADER = 110;
const PATH_MAX = 4096;

/** Bytes of a name with the padding that ends it at a multiple of 4 behind its header. */
function nameSpace(length: number): number {
  return Math.floor((length + 1) / 4) * 4 + 2;
}

export class Machine {
  state: State = "start";
  /** Bytes since the start of the image or member. */
  position = 0;
  #next: State = "start";
  #nextHeader = 0;
  #input: Uint8Array = new Uint8Array(0);
  #index = 0;
  #collected: Uint8Array = new Uint8Array(0);
  #wanted: Uint8Array = new Uint8Array(0);
  #filled = 0;
  #header: KernelHeader | undefined;
  #headerOffset = 0;
  #bodyLeft = 0;
  /** A skipped header is looked at again and again. */
  #repeating = false;
  readonly #headerBuffer = new Uint8Array(HEADER);
  readonly #nameBuffer = new Uint8Array(nameSpace(PATH_MAX));
  readonly #symlinkBuffer = new Uint8Array(PATH_MAX + nameSpace(PATH_MAX));
  readonly #traits: KernelTraits;
  readonly #maker: EntryMaker;
  readonly #findings: Findings;

  constructor(traits: KernelTraits, maker: EntryMaker, findings: Findings) {
    this.#traits = traits;
    this.#maker = maker;
    this.#findings = findings;
  }

  /** Takes bytes until they are used up, the entries end or the kernel gives up; returns how many it took. */
  run(input: Uint8Array): number {
    this.#input = input;
    this.#index = 0;
    while (this.#step()) if (this.#findings.incomplete) break;
    return this.#index;
  }

  /** What the image ends in the middle of, if it does. */
  unfinished(): { readonly what: string; readonly offset: number } | undefined {
    if (this.state === "reset" || this.state === "start") return undefined;
    const name = this.#header === undefined ? "an entry" : quote(cString(this.#collected));
    const offset = this.#headerOffset;
    if (this.state === "copy") return { what: `the data of ${name}: the file stays half-written`, offset };
    if (this.state === "skip") {
      // What is missing may be nothing but the padding at the end.
      const missing = this.#nextHeader - this.position;
      return missing < 4 ? undefined : { what: "an entry that is skipped", offset };
    }
    return this.#next === "header"
      ? { what: "a header", offset: this.position - this.#filled }
      : { what: "a name or target", offset };
  }

  get #available(): number {
    return this.#input.length - this.#index;
  }

  #take(count: number): Uint8Array {
    const bytes = this.#input.subarray(this.#index, this.#index + count);
    this.#index += bytes.length;
    this.position += bytes.length;
    return bytes;
  }

  /** One action; false when the machine waits for more input, or for who feeds it to look. */
  #step(): boolean {
    switch (this.state) {
      case "start":
        this.#read(this.#headerBuffer, "header");
        return true;
      case "collect":
        return this.#collect();
      case "header":
        return this.#parseHeader();
      case "skip":
        return this.#skip();
      case "name":
        return this.#name();
      case "copy":
        return this.#copy();
      case "symlink":
        return this.#symlink();
      default:
        return this.#reset();
    }
  }

  /** Reads in place if all is there, otherwise into a buffer over several pieces. */
  #read(buffer: Uint8Array, next: State): void {
    if (this.#available >= buffer.length) {
      this.#collected = this.#take(buffer.length);
      this.state = next;
    } else {
      this.#startCollecting(buffer, next);
    }
  }

  #startCollecting(buffer: Uint8Array, next: State): void {
    this.#collected = buffer;
    this.#wanted = buffer;
    this.#filled = 0;
    this.#next = next;
    this.state = "collect";
  }

  #collect(): boolean {
    const bytes = this.#take(Math.min(this.#available, this.#wanted.length - this.#filled));
    this.#wanted.set(bytes, this.#filled);
    this.#filled += bytes.length;
    if (this.#filled < this.#wanted.length) return false;
    this.state = this.#next;
    return true;
  }

  #parseHeader(): boolean {
    this.#headerOffset = this.position - HEADER;
    const location = this.#findings.at(this.#headerOffset);
    const magic = magicOf(this.#collected);
    if (magic === undefined || magic === "070707") {
      const old = magic === "070707";
      this.#findings.abort(
        old ? "incorrect cpio method used: use -H newc option" : "no cpio magic",
        location,
      );
      return false;
    }
    const header = parseKernelHeader(this.#collected, magic === "070702");
    this.#header = header;
    if (header.loose) {
      if (this.#traits.strictDigits) {
        this.#findings.abort("damaged header", location);
        return false;
      }
      const message = "A header has other than hexadecimal digits, which Linux from 7.2 on refuses";
      if (!this.#repeating) this.#findings.add("KERNEL_LOOSE_HEADER", "warning", message, location);
    }
    const space = nameSpace(header.nameLength);
    this.#nextHeader = Math.floor((this.position + space + header.bodyLength + 3) / 4) * 4;
    this.#bodyLeft = header.bodyLength;
    const type = header.mode & TYPE_MASK;
    if (header.nameLength === 0 || header.nameLength > PATH_MAX) {
      const message = `its name takes ${header.nameLength} bytes, wanted 1 to 4096`;
      return this.#drop("KERNEL_NAME_SIZE", message);
    }
    if (type === TYPE_BITS.symlink) {
      if (header.bodyLength > PATH_MAX) {
        const message = `its target takes ${header.bodyLength} bytes, at most 4095 are taken`;
        return this.#drop("KERNEL_TARGET_SIZE", message);
      }
      this.#startCollecting(this.#symlinkBuffer.subarray(0, space + header.bodyLength), "symlink");
    } else if (type === TYPE_BITS.file || header.bodyLength === 0) {
      this.#read(this.#nameBuffer.subarray(0, space), "name");
    } else {
      const message = `it is no regular file, but has ${header.bodyLength} bytes of data`;
      return this.#drop("KERNEL_UNEXPECTED_DATA", message);
    }
    return true;
  }

  /**
   * The kernel skips an entry with the state that it had in mind before. If the header had come in pieces, that is
   * to look at this same header again, so that the rest of the member is skipped in steps of this entry's length.
   */
  #drop(code: "KERNEL_NAME_SIZE" | "KERNEL_TARGET_SIZE" | "KERNEL_UNEXPECTED_DATA", reason: string): boolean {
    const again = this.#next === "header";
    if (!this.#repeating) {
      const name = this.#nameAhead();
      const location = this.#findings.at(this.#headerOffset, name === undefined ? undefined : toText(name));
      const what = name === undefined ? "An entry" : quote(name);
      this.#findings.add(code, "warning", `${what} is skipped: ${reason}`, location);
      if (again) {
        const lost = "Its header came in two pieces of decompressed data: Linux loses all that follows";
        this.#findings.add("KERNEL_LOST", "warning", lost, location);
      }
    }
    this.#repeating = again;
    this.state = "skip";
    return true;
  }

  /** The name of an entry whose name the kernel does not read, if it is there. */
  #nameAhead(): Uint8Array | undefined {
    const length = (this.#header as KernelHeader).nameLength;
    if (length === 0 || length > this.#available) return undefined;
    return cString(this.#input.subarray(this.#index, this.#index + Math.min(length, PATH_MAX)));
  }

  #skip(): boolean {
    const missing = this.#nextHeader - this.position;
    if (this.#available < missing) {
      this.#take(this.#available);
      return false;
    }
    this.#take(missing);
    this.state = this.#next;
    return true;
  }

  #name(): boolean {
    this.state = "skip";
    this.#next = "reset";
    const header = this.#header as KernelHeader;
    const nameField = this.#collected.subarray(0, header.nameLength);
    const outcome = this.#maker.place({ header, nameField, offset: this.#headerOffset });
    if (outcome === "copy") this.state = "copy";
    return outcome !== "abort";
  }

  #symlink(): boolean {
    const header = this.#header as KernelHeader;
    const nameField = this.#collected.subarray(0, header.nameLength);
    const target = this.#collected.subarray(nameSpace(header.nameLength));
    const outcome = this.#maker.symlink({ header, nameField, offset: this.#headerOffset }, target);
    if (outcome === "abort") return false;
    this.state = "skip";
    this.#next = "reset";
    return true;
  }

  #copy(): boolean {
    const isLast = this.#available >= this.#bodyLeft;
    const chunk = this.#take(Math.min(this.#available, this.#bodyLeft));
    this.#bodyLeft -= chunk.length;
    this.#maker.copy(chunk, isLast);
    if (isLast) this.state = "skip";
    return isLast;
  }

  #reset(): boolean {
    while (this.#index < this.#input.length && this.#input[this.#index] === 0) {
      this.#index++;
      this.position++;
    }
    if (this.#available > 0 && this.position % 4 !== 0) {
      this.#findings.abort("broken padding", this.#findings.at(this.position));
    }
    return false;
  }
}
