import { CpioError } from "./cpio-error.ts";
import type { CpioInput } from "./entry.ts";
import { createBodyCheck } from "./internal/body-check.ts";
import { headSize, nameSizeAt, TRAILER_SIZE, writeHead, writeTrailer } from "./internal/frame.ts";
import { addChecksum, padding4 } from "./internal/layout.ts";
import { createPlanner, type Planned } from "./internal/plan.ts";
import { chunksOf } from "./pack-sync.ts";
import { type PackOptions, resolvePackOptions } from "./pack-options.ts";

/**
 * Writes a whole archive into memory, with the same bytes as {@link packCpio}: for segments and small images.
 * Data sources must be synchronous.
 *
 * @throws {CpioError} as {@link packCpio} does
 *
 * @example
 * ```ts
 * import { encodeCpio } from "@justenough/cpio";
 * const segment = encodeCpio([{ type: "file", name: "etc/motd", data: "Hello\n" }], {
 *   trailer: false,
 *   blockSize: 4,
 * });
 * console.log(segment.length); // 128
 * ```
 */
export function encodeCpio(entries: Iterable<CpioInput>, options: PackOptions = {}): Uint8Array {
  const resolved = resolvePackOptions(options);
  const list = [...entries];
  const planner = createPlanner(list, resolved);
  const planned = list.map((input) => planner.plan(input));
  planner.finish();
  let end = 0;
  for (const entry of planned) {
    end +=
      headSize(nameSizeAt(end, entry, resolved.dataAlign)) + entry.fields.size + padding4(entry.fields.size);
  }
  const size =
    Math.ceil((end + (resolved.trailer ? TRAILER_SIZE : 0)) / resolved.blockSize) * resolved.blockSize;
  const out = allocate(size);
  let offset = 0;
  for (const entry of planned) {
    const nameSize = nameSizeAt(offset, entry, resolved.dataAlign);
    const bodyOffset = writeHead(out, offset, resolved.format, entry, nameSize, 0);
    writeBody(out, bodyOffset, entry);
    const body = out.subarray(bodyOffset, bodyOffset + entry.fields.size);
    const checksum = resolved.format === "crc" && entry.summed ? addChecksum(0, body) : 0;
    if (checksum !== 0) writeHead(out, offset, resolved.format, entry, nameSize, checksum);
    offset = bodyOffset + body.length + padding4(body.length);
  }
  if (resolved.trailer) writeTrailer(out, offset, resolved.format);
  return out;
}

function allocate(size: number): Uint8Array {
  try {
    return new Uint8Array(size);
  } catch (cause) {
    throw new CpioError("CPIO_UNREPRESENTABLE", `An archive of ${size} bytes does not fit into memory`, {
      cause,
      hint: "Write it with packCpio, which needs little memory",
    });
  }
}

function writeBody(out: Uint8Array, offset: number, planned: Planned): void {
  const { body } = planned;
  if (body instanceof Uint8Array) {
    out.set(body, offset);
    return;
  }
  const check = createBodyCheck(planned, undefined);
  let position = offset;
  for (const chunk of chunksOf(planned, body)) {
    check.add(chunk);
    out.set(chunk, position);
    position += chunk.length;
  }
  check.end();
}
