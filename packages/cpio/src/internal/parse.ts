import { CpioError } from "../cpio-error.ts";
import type { CpioHeader } from "../entry.ts";
import type { ResolvedUnpackOptions } from "../unpack-options.ts";
import type { ByteQueue } from "./byte-queue.ts";
import { readEntryHead } from "./entry-head.ts";
import { addChecksum, HEADER_SIZE, padding4, quote } from "./layout.ts";
import { END, MORE, need, type ParseEvent } from "./parse-event.ts";
import { parseFields } from "./read-header.ts";
import { readMagic } from "./read-magic.ts";

/**
 * The one parser behind the streaming and the in-memory reader: a generator that works on what is in the queue
 * and asks for more. The grammar is that of buffer-format.rst in the kernel's documentation:
 * archives and runs of NULs in any order, a trailer at the end of an archive or none.
 */
export function* parse(
  queue: ByteQueue,
  options: ResolvedUnpackOptions,
  { skipsData = false }: { readonly skipsData?: boolean } = {},
): Generator<ParseEvent, void> {
  let segment = 0;
  let entries = 0;
  let total = 0;
  /** True between the first entry of an archive and its trailer. */
  let open = false;
  for (;;) {
    yield* skipZeros(queue);
    if (queue.available === 0) break;
    const offset = queue.position;
    const format = yield* readMagic(queue, offset);
    if (offset % 4 !== 0) {
      throw new CpioError(
        "CPIO_ALIGNMENT",
        `The header at byte ${offset} does not start at a multiple of 4`,
        {
          offset,
          hint: "Fill up each archive with NULs to a multiple of 4 before the next one is appended",
        },
      );
    }
    yield* need(queue, HEADER_SIZE, offset, "a header");
    const fields = parseFields(queue.take(HEADER_SIZE), offset);
    const head = yield* readEntryHead(queue, { format, fields, offset, segment });
    if (head === undefined) {
      segment++;
      open = false;
      continue;
    }
    open = true;
    entries++;
    total += head.size;
    checkLimits(head, entries, total, options);
    yield { kind: "entry", entry: head };
    // A checksum needs the data.
    if (skipsData && head.format === "newc") yield* skipData(queue, head);
    else yield* readData(queue, head);
    yield END;
  }
  if (segment === 0 && !open) {
    throw new CpioError("CPIO_EMPTY", `The input of ${queue.position} bytes holds no cpio archive`, {
      offset: queue.position,
    });
  }
  if (open && options.requireTrailer) {
    throw new CpioError("CPIO_TRUNCATED", `The archive ends at byte ${queue.position} without a trailer`, {
      offset: queue.position,
    });
  }
}

/** Skips NULs between entries. */
function* skipZeros(queue: ByteQueue): Generator<ParseEvent, void> {
  for (;;) {
    queue.dropZeros();
    if (queue.available > 0 || queue.ended) return;
    yield MORE;
  }
}

function* readData(queue: ByteQueue, entry: CpioHeader): Generator<ParseEvent, void> {
  if (entry.type !== "file") return;
  const what = `the data of ${quote(entry.nameBytes)}`;
  const verify = entry.format === "crc";
  let sum = 0;
  for (let left = entry.size; left > 0;) {
    if (queue.available === 0) yield* need(queue, 1, entry.offset, what);
    const chunk = queue.takeSome(left);
    left -= chunk.length;
    if (verify) sum = addChecksum(sum, chunk);
    yield { kind: "data", chunk };
  }
  // The links of a file that carry no data carry its sum in archives of some tools.
  if (verify && entry.size > 0 && sum !== entry.checksum) {
    throw new CpioError(
      "CPIO_CHECKSUM",
      `The data of ${quote(entry.nameBytes)} add up to ${sum}, but its header at byte ${entry.offset} says ${entry.checksum}`,
      { offset: entry.offset },
    );
  }
  const padding = padding4(entry.size);
  if (padding > 0) {
    yield* need(queue, padding, entry.offset, what);
    queue.take(padding);
  }
}

function* skipData(queue: ByteQueue, entry: CpioHeader): Generator<ParseEvent, void> {
  if (entry.type !== "file") return;
  let left = entry.size + padding4(entry.size);
  while (left > 0 && queue.available > 0) left -= queue.takeSome(left).length;
  if (left === 0) return;
  queue.position += left;
  yield { kind: "skip", length: left, entry };
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
