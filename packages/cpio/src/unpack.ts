import { CpioError } from "./cpio-error.ts";
import type { CpioEntry } from "./entry.ts";
import { ByteQueue } from "./internal/byte-queue.ts";
import { assertBytes } from "./internal/layout.ts";
import type { ParseEvent } from "./internal/parse-event.ts";
import { Parser } from "./internal/parse.ts";
import { resolveUnpackOptions, type UnpackOptions } from "./unpack-options.ts";

type FoundEvent = Exclude<ParseEvent, { readonly kind: "more" }>;

/**
 * Reads an archive while it comes in, in chunks of any size, with memory for one chunk and one name. Several
 * concatenated archives, with NULs between them or not, are read as one sequence; `segment` tells them apart.
 * The checksums of crc archives are verified, also where the data are skipped.
 *
 * This reader is strict: it answers whether an archive is correct. What Linux makes of one, or of any bytes, is
 * answered by {@link unpackAsKernel}.
 *
 * @throws {CpioError} for whatever is not a correct archive, from the iteration or from the entry's `data`,
 * whichever comes upon it first. Errors of the source pass unchanged.
 *
 * @example
 * ```ts
 * import { encodeCpio, unpackCpio } from "@justenough/cpio";
 * const archive = encodeCpio([{ type: "symlink", name: "bin", target: "usr/bin" }]);
 * for await (const entry of unpackCpio([archive])) console.log(entry.name, "->", entry.target); // bin -> usr/bin
 * ```
 */
export async function* unpackCpio(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: UnpackOptions = {},
): AsyncGenerator<CpioEntry, void, undefined> {
  const resolved = resolveUnpackOptions(options);
  const queue = new ByteQueue();
  const parser = new Parser(queue, resolved);
  const chunks = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const nextEvent = (): ParseEvent | undefined => {
    // Whoever goes on after an error is to meet it again.
    if (failure !== undefined) throw failure.error;
    try {
      return parser.next();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  const next = async (): Promise<FoundEvent | undefined> => {
    for (;;) {
      const event = nextEvent();
      if (event?.kind !== "more") return event;
      const chunk = await chunks.next();
      if (chunk.done === true) {
        queue.ended = true;
      } else {
        assertBytes(chunk.value, "The source");
        queue.push(chunk.value);
      }
    }
  };
  try {
    for (let event = await next(); event !== undefined; event = await next()) {
      // Data and ends that nobody asked for belong to an entry whose reader went on.
      if (event.kind !== "entry") continue;
      const body = readBody(next);
      yield { ...event.entry, data: body.data };
      body.close();
    }
  } finally {
    if (!queue.ended) await chunks.return?.();
  }
}

/** The data of one entry, until its end or until the reader of the archive has gone on. */
function readBody(next: () => Promise<FoundEvent | undefined>): {
  readonly data: AsyncIterable<Uint8Array>;
  close(): void;
} {
  let state: "fresh" | "reading" | "ended" | "closed" = "fresh";
  async function* read(): AsyncGenerator<Uint8Array, void, undefined> {
    if (state !== "fresh") {
      throw new CpioError("CPIO_INVALID_INPUT", "The data of an entry can be read only once", {
        hint: "Read them before the next entry is asked for, and keep what is needed later",
      });
    }
    state = "reading";
    while (state === "reading") {
      const event = await next();
      if (event?.kind !== "data") {
        if (state === "reading") state = "ended";
        return;
      }
      yield event.chunk;
    }
    throw new CpioError("CPIO_INVALID_INPUT", "The next entry was asked for while the data were being read", {
      hint: "Read an entry's data to their end first, or leave the loop",
    });
  }
  return {
    data: { [Symbol.asyncIterator]: read },
    close() {
      if (state !== "ended") state = "closed";
    },
  };
}
