import type { CpioInput } from "./entry.ts";
import { createBodyCheck } from "./internal/body-check.ts";
import { ChunkWriter, writeEnd, writeEntryHead } from "./internal/chunk-writer.ts";
import { addChecksum, padding4 } from "./internal/layout.ts";
import { createPlanner, type Planned } from "./internal/plan.ts";
import { type PackOptions, resolvePackOptions } from "./pack-options.ts";

/**
 * Writes an archive, entry by entry, in bounded memory: the entries' order is kept, data sources are opened one
 * at a time, and large chunks of data are passed along without a copy.
 *
 * The result depends on the entries and options alone: inode numbers are counted, the device is 0:0, owners and
 * times are 0 unless given, hard links are counted within the archive and only the first name carries the data.
 *
 * @throws {CpioError} for what the format can't hold, for a source that does not keep its size, for links
 * without a first name. Bytes that were already given are then no complete archive. Errors of a source pass.
 *
 * @example
 * ```ts
 * import { packCpio } from "@justenough/cpio";
 * let size = 0;
 * for await (const chunk of packCpio([
 *   { type: "directory", name: "dev" },
 *   { type: "character", name: "dev/console", rdev: { major: 5, minor: 1 } },
 *   { type: "file", name: "init", mode: 0o755, data: "#!/bin/sh\n" },
 *   { type: "link", name: "linuxrc", linkTo: "init" },
 * ])) size += chunk.length;
 * console.log(size); // 1024
 * ```
 */
export async function* packCpio(
  entries: Iterable<CpioInput> | AsyncIterable<CpioInput>,
  options: PackOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const resolved = resolvePackOptions(options);
  const planner = createPlanner(entries, resolved);
  const writer = new ChunkWriter(false);
  const { ready } = writer;
  for await (const input of entries) {
    const planned = planner.plan(input);
    const sum = resolved.format === "crc" && planned.summed ? await sumBody(planned) : undefined;
    writeEntryHead(writer, planned, resolved, sum ?? 0);
    if (planned.body instanceof Uint8Array) {
      writer.write(planned.body);
    } else {
      const check = createBodyCheck(planned, sum);
      for await (const chunk of planned.body.open()) {
        check.add(chunk);
        writer.write(chunk);
        if (ready.length > 0) yield* ready.splice(0);
      }
      check.end();
    }
    writer.writeZeros(padding4(planned.fields.size));
    if (ready.length > 0) yield* ready.splice(0);
  }
  planner.finish();
  writeEnd(writer, resolved);
  yield* ready;
}

/** The checksum stands before the data, so that a source has to be read once more. */
async function sumBody(planned: Planned): Promise<number> {
  if (planned.body instanceof Uint8Array) return addChecksum(0, planned.body);
  let sum = 0;
  const check = createBodyCheck(planned, undefined);
  for await (const chunk of planned.body.open()) {
    check.add(chunk);
    sum = addChecksum(sum, chunk);
  }
  check.end();
  return sum;
}
