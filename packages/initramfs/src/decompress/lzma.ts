import { decodeLzma, lzma, setProperties, startRange } from "./lzma-decoder.ts";
import { cut, MOST_PIECES, output, type Unpacked } from "./output.ts";

const HEADER = 13;

/**
 * As lib/decompress_unlzma.c does (read in 6.12): a piece is as large as the dictionary, and one that is not full is lost
 * at a failure. Bytes are taken in when they are needed, so that the last one of a stream may be left to the unpacker: with
 * what xz writes, one time in ten, a zero, which is padding there. The end marker counts also where the size is known, but is not asked for.
 */
export function unlzma(bytes: Uint8Array, limit: number): Unpacked {
  const none = { pieces: [], consumed: 0 };
  if (bytes.length < HEADER) return { ...none, error: "unexpected EOF" };
  const properties = bytes[0] as number;
  if (properties >= 9 * 5 * 5) return { ...none, error: "bad header" };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const dictionary = view.getUint32(1, true) || 1;
  // All ones: the end marker tells.
  const size = Number(view.getBigUint64(5, true));
  // The buffer cannot be had: it has no size, or one that is negative as an int; unlzma() says nothing about it.
  const buffer = Math.min(dictionary, size);
  if (buffer === 0 || buffer >= 2 ** 31) return { ...none, error: "decompressor failed" };

  // A tiny dictionary makes as many pieces as bytes.
  const out = output(Math.min(limit, dictionary * MOST_PIECES));
  const decoder = lzma(bytes, HEADER);
  decoder.dictionary = dictionary;
  setProperties(decoder, properties);
  startRange(decoder);
  const failed = (error: string): Unpacked => ({
    pieces: cut(out, dictionary, Math.floor(out.length / dictionary) * dictionary),
    consumed: decoder.at,
    error,
  });
  if (decoder.at > bytes.length) return failed("unexpected EOF");
  const stop = decodeLzma(decoder, out, size, bytes.length, bytes.length);
  if (stop === "exhausted") return failed("unexpected EOF");
  // A match at the very beginning would have the kernel copy what its buffer held before.
  if (stop === "invalid") return failed("LZMA data is corrupt");
  if (decoder.pending > 0 && stop === "limit") {
    // A match goes past the size, which is noticed only while the first piece is filled.
    if (size < dictionary) return failed("LZMA data is corrupt");
    decodeLzma(decoder, out, out.length + decoder.pending, -1, bytes.length);
  }
  return { pieces: cut(out, dictionary), consumed: decoder.at };
}
