import { CpioError } from "../cpio-error.ts";
import type { CpioHeader } from "../entry.ts";
import type { ResolvedUnpackOptions } from "../unpack-options.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { type EntryHead, readHead } from "./entry-head.ts";
import { addChecksum, HEADER_SIZE, padding4, quote } from "./layout.ts";
import { END, MORE, type ParseEvent, truncated } from "./parse-event.ts";
import { readMagic } from "./read-magic.ts";

/** A body that is being read. */
interface Body {
  readonly entry: CpioHeader;
  left: number;
  sum: number;
}

/**
 * The one parser behind all readers: works on what is in the queue and asks for more, a header at a time. The grammar
 * is that of buffer-format.rst in the kernel's documentation: archives and runs of NULs in any order, a trailer at
 * the end of an archive or none.
 */
export class Parser {
  readonly #queue: ByteQueue;
  readonly #options: ResolvedUnpackOptions;
  readonly #skipsData: boolean;
  #segment = 0;
  #entries = 0;
  #total = 0;
  /** True between the first entry of an archive and its trailer. */
  #open = false;
  #body: Body | undefined;

  constructor(queue: ByteQueue, options: ResolvedUnpackOptions, skipsData = false) {
    this.#queue = queue;
    this.#options = options;
    this.#skipsData = skipsData;
  }

  /** The next event, undefined at the end of the input. @throws {CpioError} */
  next(): ParseEvent | undefined {
    return this.#body === undefined ? this.#header() : this.#data(this.#body);
  }

  #header(): ParseEvent | undefined {
    const queue = this.#queue;
    for (;;) {
      queue.dropZeros();
      if (queue.available === 0) return queue.ended ? this.#end() : MORE;
      const offset = queue.position;
      const format = readMagic(queue, offset);
      if (format === undefined) return MORE;
      if (offset % 4 !== 0) throw misaligned(offset);
      if (queue.available < HEADER_SIZE) {
        if (!queue.ended) return MORE;
        throw truncated(queue.position + queue.available, offset, "a header");
      }
      const head = readHead(queue, format, this.#segment);
      if (head === undefined) return MORE;
      queue.take(head.size);
      if (head.entry !== undefined) return this.#begin(head.entry);
      this.#segment++;
      this.#open = false;
    }
  }

  #begin(entry: NonNullable<EntryHead["entry"]>): ParseEvent {
    this.#open = true;
    this.#entries++;
    this.#total += entry.size;
    checkLimits(entry, this.#entries, this.#total, this.#options);
    this.#body = { entry, left: entry.type === "file" ? entry.size : 0, sum: 0 };
    return { kind: "entry", entry };
  }

  #data(body: Body): ParseEvent {
    const queue = this.#queue;
    const { entry } = body;
    const isFile = entry.type === "file";
    // A checksum needs the data.
    if (this.#skipsData && entry.format === "newc" && isFile) {
      const skipped = this.#skip(body.left + padding4(entry.size));
      body.left = 0;
      if (skipped > 0) {
        this.#body = undefined;
        return { kind: "skip", length: skipped, entry };
      }
    } else if (body.left > 0) {
      if (queue.available === 0) return this.#wait(entry);
      const chunk = queue.takeSome(body.left);
      body.left -= chunk.length;
      if (entry.format === "crc") body.sum = addChecksum(body.sum, chunk);
      return { kind: "data", chunk };
    } else if (isFile) {
      checkSum(body);
      const padding = padding4(entry.size);
      if (queue.available < padding) return this.#wait(entry);
      if (padding > 0) queue.take(padding);
    }
    this.#body = undefined;
    return END;
  }

  #wait(entry: CpioHeader): ParseEvent {
    const { ended, position, available } = this.#queue;
    if (!ended) return MORE;
    throw truncated(position + available, entry.offset, `the data of ${quote(entry.nameBytes)}`);
  }

  /** Passes over bytes that are there, and tells how many are still to be passed over. */
  #skip(length: number): number {
    const queue = this.#queue;
    let left = length;
    while (left > 0 && queue.available > 0) left -= queue.takeSome(left).length;
    queue.position += left;
    return left;
  }

  #end(): undefined {
    const { position } = this.#queue;
    if (this.#segment === 0 && !this.#open) {
      throw new CpioError("CPIO_EMPTY", `The input of ${position} bytes holds no cpio archive`, {
        offset: position,
      });
    }
    if (this.#open && this.#options.requireTrailer) {
      throw new CpioError("CPIO_TRUNCATED", `The archive ends at byte ${position} without a trailer`, {
        offset: position,
      });
    }
    return undefined;
  }
}

function misaligned(offset: number): CpioError {
  const hint = "Fill up each archive with NULs to a multiple of 4 before the next one is appended";
  const message = `The header at byte ${offset} does not start at a multiple of 4`;
  return new CpioError("CPIO_ALIGNMENT", message, { offset, hint });
}

/** The links of a file that carry no data carry its sum in archives of some tools. */
function checkSum({ entry, sum }: Body): void {
  if (entry.format !== "crc" || entry.size === 0 || sum === entry.checksum) return;
  throw new CpioError(
    "CPIO_CHECKSUM",
    `The data of ${quote(entry.nameBytes)} add up to ${sum}, but its header at byte ${entry.offset} says ${entry.checksum}`,
    { offset: entry.offset },
  );
}

function checkLimits(head: CpioHeader, entries: number, total: number, options: ResolvedUnpackOptions): void {
  const { offset } = head;
  const exceeded = (message: string): CpioError => new CpioError("CPIO_LIMIT", message, { offset });
  if (entries > options.maxEntries) {
    throw exceeded(`The archive has more than the ${options.maxEntries} entries allowed`);
  }
  if (head.size > options.maxFileSize) {
    throw exceeded(
      `${quote(head.nameBytes)} has ${head.size} bytes, more than the ${options.maxFileSize} allowed`,
    );
  }
  if (total > options.maxTotalSize) {
    throw exceeded(
      `${quote(head.nameBytes)} brings the data to ${total} bytes, more than the ${options.maxTotalSize} allowed`,
    );
  }
}
