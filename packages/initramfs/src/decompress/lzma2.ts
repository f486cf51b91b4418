import {
  decodeLzma,
  type Lzma,
  lzma,
  normalize,
  resetState,
  setProperties,
  startRange,
} from "./lzma-decoder.ts";
import { append, type Output } from "./output.ts";

/** How much lib/decompress_unxz.c unpacks at a time. */
export const XZ_PIECE = 4 << 10;
/** What one symbol may need at most, as lib/xz/xz_dec_lzma2.c counts: with less at the end of the image it waits. */
const SYMBOL_INPUT = 21;

/** Both are the same to the kernel, but at the end of the input a filter still waits for more. */
export type Lzma2Fault = "damaged" | "cut off";

/**
 * Decodes the LZMA2 chunks of a block up to their end marker, as lib/xz/xz_dec_lzma2.c does; gives the place after it,
 * or what is wrong with them. At a damaged symbol, what was decoded since the last piece, chunk or
 * turn of the dictionary is taken back, for the kernel had not handed it on.
 *
 * @param within - is asked after each piece whether the block is not too large yet
 */
export function decodeLzma2(
  bytes: Uint8Array,
  start: number,
  dictionary: number,
  out: Output,
  within: (at: number) => boolean,
): number | Lzma2Fault {
  const decoder = lzma(bytes, start);
  decoder.dictionary = dictionary;
  let needsReset = true;
  let needsProperties = true;
  for (;;) {
    const control = bytes[decoder.at++];
    if (control === undefined) return "cut off";
    if (control === 0) return decoder.at;
    if (control >= 0xe0 || control === 1) {
      needsProperties = true;
      needsReset = false;
      decoder.base = out.length;
    } else if (needsReset) {
      return "damaged";
    }
    if (control < 0x80) {
      if (control > 2) return "damaged";
      if (decoder.at + 2 > bytes.length) return "cut off";
      const from = decoder.at + 2;
      const end = from + word(bytes, decoder.at) + 1;
      append(out, bytes, from, Math.max(from, Math.min(end, bytes.length)));
      if (end > bytes.length) return "cut off";
      if (!within(end)) return "damaged";
      decoder.at = end;
      continue;
    }
    if (control < 0xc0 && needsProperties) return "damaged";
    const size = ((control & 0x1f) << 16) + word(bytes, decoder.at) + 1;
    const packed = word(bytes, decoder.at + 2) + 1;
    decoder.at += 4;
    if (control >= 0xc0) {
      needsProperties = false;
      const properties = bytes[decoder.at++];
      if (properties === undefined) return "cut off";
      if (!known(properties)) return "damaged";
      setProperties(decoder, properties);
    } else if (control >= 0xa0) {
      resetState(decoder);
    }
    if (decoder.at + 5 > bytes.length) return "cut off";
    if (packed < 5) return "damaged";
    const fault = decodeChunk(decoder, out, out.length + size, decoder.at + packed, within);
    if (fault !== undefined) return fault;
  }
}

function decodeChunk(
  decoder: Lzma,
  out: Output,
  until: number,
  end: number,
  within: (at: number) => boolean,
): Lzma2Fault | undefined {
  const cutOff = end > decoder.bytes.length;
  const softEnd = cutOff ? decoder.bytes.length - SYMBOL_INPUT : end;
  startRange(decoder);
  while (out.length < until) {
    const before = out.length;
    const border = Math.min(
      until,
      before + XZ_PIECE - (before % XZ_PIECE),
      before + decoder.dictionary - ((before - decoder.base) % decoder.dictionary),
    );
    const stop = decodeLzma(decoder, out, border, softEnd, end);
    normalize(decoder);
    if (stop !== "limit" || decoder.at > end) {
      out.length = before;
      return "damaged";
    }
    if (out.length < border) return "cut off";
    if (!within(decoder.at)) return "damaged";
  }
  return decoder.at === end && decoder.pending === 0 && decoder.words[1] === 0 ? undefined : "damaged";
}

/** The properties of LZMA2: no more than 4 bits of context for a literal. */
function known(properties: number): boolean {
  return properties < 9 * 5 * 5 && (properties % 9) + (Math.floor(properties / 9) % 5) <= 4;
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
