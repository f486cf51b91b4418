import { CpioError } from "./cpio-error.ts";
import type { CpioDecodedEntry, CpioHeader } from "./entry.ts";
import { ByteQueue } from "./internal/byte-queue.ts";
import { assertBytes } from "./internal/layout.ts";
import { Parser } from "./internal/parse.ts";
import { resolveUnpackOptions, type UnpackOptions } from "./unpack-options.ts";

/**
 * Reads an archive that is in memory, or several concatenated ones. The data of the entries are views.
 *
 * @throws {CpioError} as {@link unpackCpio} does
 *
 * @example
 * ```ts
 * import { decodeCpio, encodeCpio } from "@justenough/cpio";
 * const archive = encodeCpio([{ type: "file", name: "etc/motd", data: "Hello\n" }]);
 * const [motd] = decodeCpio(archive);
 * console.log(motd?.name, new TextDecoder().decode(motd?.data)); // etc/motd Hello
 * ```
 */
export function decodeCpio(bytes: Uint8Array, options: UnpackOptions = {}): CpioDecodedEntry[] {
  assertBytes(bytes, "The archive");
  const queue = new ByteQueue();
  queue.push(bytes);
  queue.ended = true;
  const entries: CpioDecodedEntry[] = [];
  let entry: CpioHeader | undefined;
  let data = new Uint8Array(0);
  const parser = new Parser(queue, resolveUnpackOptions(options));
  for (let event = parser.next(); event !== undefined; event = parser.next()) {
    if (event.kind === "entry") {
      entry = event.entry;
      data = new Uint8Array(0);
    } else if (event.kind === "data") {
      // The queue holds one chunk, so that an entry's data come in one piece.
      data = event.chunk as Uint8Array<ArrayBuffer>;
    } else if (event.kind === "end" && entry !== undefined) {
      entries.push({ ...entry, data });
    } else {
      throw new CpioError("CPIO_TRUNCATED", "The input ended unexpectedly");
    }
  }
  return entries;
}
