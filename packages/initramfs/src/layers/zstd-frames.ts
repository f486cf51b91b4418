import { layerError } from "./layer-error.ts";
import type { ByteSource } from "./byte-source.ts";

const FRAME = 0xfd2fb528;
/** 0x184D2A50 to 0x184D2A5F: for the user's own data, such as the index that zstd:chunked layers end with. */
const SKIPPABLE = 0x184d2a50;

/** Whether something begins with a skippable frame, as all do that pzstd writes. */
export function startsSkippable(head: Uint8Array): boolean {
  return (
    head.length > 8 &&
    ((head[0] as number) & 0xf0) === 0x50 &&
    Buffer.from(head.subarray(1, 4)).equals(Buffer.from([0x2a, 0x4d, 0x18]))
  );
}

/**
 * Finds the frames of a zstd file (RFC 8878, 3.1) without decompressing. Node's decoder ends after the first
 * without a word when the next one lies in the same chunk, but container layers have many.
 */
export function* zstdFrames(
  source: ByteSource,
  archive: string,
): Generator<{ readonly offset: number; readonly size: number }, void, undefined> {
  for (let at = 0; at < source.size;) {
    const magic = u32(source, at, archive);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      at += 8 + u32(source, at + 4, archive);
      continue;
    }
    if (magic !== FRAME) throw layerError(archive, undefined, "it has something that is no zstd after zstd");
    const end = frameEnd(source, at + 4, archive);
    yield { offset: at, size: end - at };
    at = end;
  }
}

function frameEnd(source: ByteSource, start: number, archive: string): number {
  const descriptor = bytes(source, start, 1, archive)[0] as number;
  const single = (descriptor & 0x20) !== 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const dictionary = [0, 1, 2, 4][descriptor & 3] as number;
  let at = start + 1 + (single ? 0 : 1) + dictionary + contentSize;
  for (;;) {
    const [a, b, c] = bytes(source, at, 3, archive) as Uint8Array & [number, number, number];
    const header = a | (b << 8) | (c << 16);
    // A run-length block has one byte, whatever it stands for.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
    if ((header & 1) !== 0) break;
  }
  at += (descriptor & 4) === 0 ? 0 : 4;
  if (at > source.size) throw cut(archive);
  return at;
}

function u32(source: ByteSource, at: number, archive: string): number {
  const [a, b, c, d] = bytes(source, at, 4, archive) as Uint8Array & [number, number, number, number];
  return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0;
}

function bytes(source: ByteSource, at: number, length: number, archive: string): Uint8Array {
  const found = source.read(at, length);
  if (found.length < length) throw cut(archive);
  return found;
}

function cut(archive: string): Error {
  return layerError(archive, undefined, "its zstd stream is cut off");
}
