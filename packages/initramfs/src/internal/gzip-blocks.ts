import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw } from "node:zlib";

import { inBlocks } from "./byte-blocks.ts";

const BLOCK = 1 << 20;
/** How far back deflate looks. */
const WINDOW = 1 << 15;

const deflate = promisify<Uint8Array, object, Uint8Array>(deflateRaw);

/**
 * Compresses to one gzip member (RFC 1952), block by block on all processors. Each block is compressed with the end of
 * the one before as its dictionary, so that the result depends on the content alone, and any gzip reads it.
 */
export async function* gzipInBlocks(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  // No name, no time; made on Unix.
  yield Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
  const limit = availableParallelism() + 1;
  const running: Promise<Uint8Array>[] = [];
  let dictionary: Uint8Array | undefined;
  let checksum = 0;
  let size = 0;
  try {
    for await (const block of inBlocks(source, BLOCK)) {
      checksum = crc32(block, checksum);
      size += block.length;
      // A sync flush ends at a byte, so that blocks can be put together.
      const flush = { level: 6, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: BLOCK };
      running.push(deflate(block, dictionary === undefined ? flush : { ...flush, dictionary }));
      dictionary = block.subarray(-WINDOW);
      if (running.length >= limit) yield (await running.shift()) as Uint8Array;
    }
    for (let next = running.shift(); next !== undefined; next = running.shift()) yield await next;
  } finally {
    // Nobody waits for them when the reader stopped or the source failed.
    await Promise.allSettled(running);
  }
  const end = Buffer.alloc(10);
  // The last block of the deflate stream, an empty one.
  end.writeUInt16LE(0x0003, 0);
  end.writeUInt32LE(checksum, 2);
  end.writeUInt32LE(size % 2 ** 32, 6);
  yield end;
}
