import { inflateRawSync } from "node:zlib";

import { inflateUpToFault } from "./inflate.ts";
import { cut, output, type Output, OutputLimit, type Unpacked } from "./output.ts";

/** What lib/decompress_inflate.c inflates at a time. */
const PIECE = 32 << 10;
const NAME = 0x08;
const HEADER = 10;
/** CRC and size, which are stepped over without a look, even if the image ends within them: then the kernel reads on. */
const TRAILER = 8;

/**
 * As lib/decompress_inflate.c does (read in 6.12): of the header's flags only that of a name is looked at, so that an
 * extra field, a comment or a checksum of the header are taken for the compressed data, which then hardly ever is any.
 */
export function gunzip(bytes: Uint8Array, limit: number): Unpacked {
  if (bytes.length < HEADER || bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes[2] !== 8) {
    return { pieces: [], consumed: 0, error: "Not a gzip file" };
  }
  let start = HEADER;
  if (((bytes[3] as number) & NAME) !== 0) {
    start = bytes.indexOf(0, HEADER) + 1;
    if (start === 0) return { pieces: [], consumed: 0, error: "header error" };
  }
  const sound = inflate(bytes, start, limit);
  if (sound !== undefined) return unpacked(bytes, sound.out, sound.end);
  const out = output(limit);
  const { end, fault } = inflateUpToFault(bytes, start, out);
  if (fault === undefined) return unpacked(bytes, out, end);
  const error = fault === "damaged" ? "uncompression error" : "read error";
  return { pieces: cut(out, PIECE), consumed: end + TRAILER, error };
}

function unpacked(bytes: Uint8Array, out: Output, end: number): Unpacked {
  const consumed = end + TRAILER;
  const pieces = cut(out, PIECE);
  return consumed > bytes.length ? { pieces, consumed, readsBeyond: true } : { pieces, consumed };
}

/** Fast, but all or nothing. */
function inflate(
  bytes: Uint8Array,
  start: number,
  limit: number,
): { readonly out: Output; readonly end: number } | undefined {
  try {
    const { buffer, engine } = inflateRawSync(bytes.subarray(start), {
      info: true,
      chunkSize: 1 << 18,
      maxOutputLength: limit,
    }) as unknown as { buffer: Uint8Array; engine: { bytesWritten: number } };
    return { out: { bytes: buffer, length: buffer.length, limit }, end: start + engine.bytesWritten };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw new OutputLimit();
    return undefined;
  }
}
