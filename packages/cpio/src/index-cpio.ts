import type { CpioHeader } from "./entry.ts";
import { ByteQueue } from "./internal/byte-queue.ts";
import { padding4, quote } from "./internal/layout.ts";
import { Parser } from "./internal/parse.ts";
import { truncated } from "./internal/parse-event.ts";
import { resolveUnpackOptions, type UnpackOptions } from "./unpack-options.ts";

/** Bytes of which any part can be had. */
export interface CpioRandomSource {
  /** Bytes in all. */
  readonly size: number;
  /**
   * Gives bytes from `offset` on, at least one and at most `length`, all within the size. They may be overwritten by
   * the next call.
   */
  readonly read: (offset: number, length: number) => Uint8Array;
}

/** An entry as {@link indexCpio} gives it. */
export interface CpioIndexedEntry extends CpioHeader {
  /** Where the data start in the input, in bytes. */
  readonly dataOffset: number;
}

/** Headers and small files come together; large data are passed over. */
const WINDOW = 64 * 1024;

/**
 * Lists an archive that can be read at any place, and looks at little more than its headers: the data of newc
 * entries are passed over unread. Otherwise it reads as {@link unpackCpio} does.
 *
 * @throws {CpioError} for whatever is not a correct archive. Errors of the source pass unchanged.
 *
 * @example
 * ```ts
 * import { encodeCpio, indexCpio } from "@justenough/cpio";
 * const archive = encodeCpio([{ type: "file", name: "motd", data: "Hello" }]);
 * const source = { size: archive.length, read: (at: number, length: number) => archive.subarray(at, at + length) };
 * for (const { name, size, dataOffset } of indexCpio(source)) console.log(name, size, dataOffset); // motd 5 116
 * ```
 */
export function* indexCpio(
  source: CpioRandomSource,
  options: UnpackOptions = {},
): Generator<CpioIndexedEntry, void, undefined> {
  const queue = new ByteQueue();
  let offset = 0;
  const parser = new Parser(queue, resolveUnpackOptions(options), true);
  for (let event = parser.next(); event !== undefined; event = parser.next()) {
    switch (event.kind) {
      case "more": {
        queue.keep();
        const length = Math.min(WINDOW, source.size - offset);
        const bytes = length === 0 ? undefined : source.read(offset, length);
        if (bytes === undefined || bytes.length === 0) queue.ended = true;
        else queue.push(bytes);
        offset += bytes?.length ?? 0;
        break;
      }
      case "skip": {
        offset += event.length;
        const { nameBytes, offset: start } = event.entry;
        if (offset > source.size) throw truncated(source.size, start, `the data of ${quote(nameBytes)}`);
        break;
      }
      case "entry": {
        // A symlink's target was taken with its header.
        const { type, size } = event.entry;
        const taken = type === "symlink" ? size + padding4(size) : 0;
        // The entry is nobody else's yet, and a copy of each would take a while.
        yield Object.assign(event.entry, { dataOffset: queue.position - taken });
        break;
      }
      default:
    }
  }
}
