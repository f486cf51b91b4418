import { type Output, repeat, reserve } from "./output.ts";

/** The adaptive model and the range decoder of LZMA, as they are between two symbols. */
export interface Lzma {
  readonly bytes: Uint8Array;
  /** The next byte of input. */
  at: number;
  /** Range and code, both of 32 bits. */
  readonly words: Uint32Array;
  probs: Uint16Array;
  /** What the last symbols were. */
  state: number;
  /** The distances of the last four matches; 0 is the byte before. */
  readonly distances: Uint32Array;
  /** What is left of a match that reached the limit. */
  pending: number;
  literalContextBits: number;
  literalPositionMask: number;
  positionMask: number;
  /** Where the dictionary begins in the output, and how far back a match may reach. */
  base: number;
  dictionary: number;
}

/**
 * Why decoding stopped: at the limit of output or input, at the end marker, at a match from before the beginning, or
 * because a symbol needs more input than there is.
 */
export type LzmaStop = "limit" | "marker" | "invalid" | "exhausted";

// Where the probabilities are.
const MATCH = 0;
const REPEATED = 192;
const REPEATED_0 = 204;
const REPEATED_1 = 216;
const REPEATED_2 = 228;
const LONG_0 = 240;
const SLOT = 432;
const SPECIAL = 688;
const ALIGN = 816;
const LENGTH = 832;
const REPEATED_LENGTH = 1346;
const LITERAL = 1860;
// Within those of a length.
const LOW = 2;
const MIDDLE = 130;
const HIGH = 258;

/** A decoder that still needs its properties. */
export function lzma(bytes: Uint8Array, at: number): Lzma {
  return {
    bytes,
    at,
    words: new Uint32Array(2),
    probs: new Uint16Array(0),
    state: 0,
    distances: new Uint32Array(4),
    pending: 0,
    literalContextBits: 0,
    literalPositionMask: 0,
    positionMask: 0,
    base: 0,
    dictionary: 0,
  };
}

/** Sets lc, lp and pb from the byte that holds them, and forgets what was learned. */
export function setProperties(decoder: Lzma, properties: number): void {
  decoder.literalContextBits = properties % 9;
  decoder.literalPositionMask = (1 << (Math.floor(properties / 9) % 5)) - 1;
  decoder.positionMask = (1 << Math.floor(properties / 45)) - 1;
  const literals = (decoder.literalPositionMask + 1) << decoder.literalContextBits;
  decoder.probs = new Uint16Array(LITERAL + 0x300 * literals);
  resetState(decoder);
}

/** Forgets what was learned. */
export function resetState(decoder: Lzma): void {
  decoder.probs.fill(1024);
  decoder.state = 0;
  decoder.distances.fill(0);
  decoder.pending = 0;
}

/** Begins to read a range-coded stream: its first byte is ignored. */
export function startRange(decoder: Lzma): void {
  const { bytes, at, words } = decoder;
  words[0] = 0xffff_ffff;
  let code = 0;
  for (let index = 1; index < 5; index++) code = (code << 8) | (bytes[at + index] ?? 0);
  words[1] = code;
  decoder.at = at + 5;
}

/** Takes in the next byte if the range got small. */
export function normalize(decoder: Lzma): void {
  const { words } = decoder;
  if ((words[0] as number) >= 0x100_0000) return;
  words[0] = (words[0] as number) << 8;
  words[1] = ((words[1] as number) << 8) | (decoder.bytes[decoder.at++] ?? 0);
}

/**
 * Decodes symbols until the output has the length `until` or the next byte of input is after `softEnd`. None may need a
 * byte from `end` on.
 */
export function decodeLzma(
  decoder: Lzma,
  out: Output,
  until: number,
  softEnd: number,
  end: number,
): LzmaStop {
  const { probs, distances, base } = decoder;
  copyPending(decoder, out, until);
  while (out.length < until && decoder.at <= softEnd) {
    const position = out.length - base;
    const place = position & decoder.positionMask;
    const { state } = decoder;
    if (bit(decoder, probs, MATCH + (state << 4) + place) === 0) {
      const byte = literal(decoder, out, position);
      if (decoder.at > end) return "exhausted";
      reserve(out, 1);
      out.bytes[out.length++] = byte;
      decoder.state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    if (bit(decoder, probs, REPEATED + state) === 0) {
      const length = matchLength(decoder, probs, LENGTH, place);
      const far = distance(decoder, probs, length);
      if (decoder.at > end) return "exhausted";
      distances.copyWithin(1, 0, 3);
      distances[0] = far;
      decoder.state = state < 7 ? 7 : 10;
      if (far === 0xffff_ffff) return "marker";
      decoder.pending = length;
    } else {
      decoder.pending = repeatedLength(decoder, probs, place);
      if (decoder.at > end) return "exhausted";
    }
    const far = distances[0] as number;
    if (far >= position || far >= decoder.dictionary) return "invalid";
    copyPending(decoder, out, until);
  }
  return "limit";
}

function copyPending(decoder: Lzma, out: Output, until: number): void {
  const length = Math.min(decoder.pending, until - out.length);
  if (length <= 0) return;
  repeat(out, (decoder.distances[0] as number) + 1, length);
  decoder.pending -= length;
}

/** One bit, whose probability is learned. */
function bit(decoder: Lzma, probs: Uint16Array, index: number): 0 | 1 {
  const { words } = decoder;
  let range = words[0] as number;
  let code = words[1] as number;
  if (range < 0x100_0000) {
    range = (range << 8) >>> 0;
    code = ((code << 8) | (decoder.bytes[decoder.at++] as number)) >>> 0;
  }
  const probability = probs[index] as number;
  const bound = Math.imul(range >>> 11, probability) >>> 0;
  if (code < bound) {
    words[0] = bound;
    words[1] = code;
    probs[index] = probability + ((2048 - probability) >> 5);
    return 0;
  }
  words[0] = range - bound;
  words[1] = code - bound;
  probs[index] = probability - (probability >> 5);
  return 1;
}

function tree(decoder: Lzma, probs: Uint16Array, from: number, bits: number): number {
  let node = 1;
  for (let left = bits; left > 0; left--) node = (node << 1) | bit(decoder, probs, from + node);
  return node - (1 << bits);
}

/** Lowest bit first. */
function reverseTree(decoder: Lzma, probs: Uint16Array, from: number, bits: number): number {
  let node = 1;
  let value = 0;
  for (let index = 0; index < bits; index++) {
    const one = bit(decoder, probs, from + node);
    node = (node << 1) | one;
    value |= one << index;
  }
  return value;
}

function literal(decoder: Lzma, out: Output, position: number): number {
  const { probs, literalContextBits: context } = decoder;
  const before = position > 0 ? (out.bytes[out.length - 1] as number) : 0;
  const place = ((position & decoder.literalPositionMask) << context) + (before >> (8 - context));
  const from = LITERAL + 0x300 * place;
  let node = 1;
  if (decoder.state >= 7) {
    // After a match it is another byte than the one that would have followed there, bit for bit.
    let there = out.bytes[out.length - 1 - (decoder.distances[0] as number)] ?? 0;
    while (node < 0x100) {
      const expected = (there >> 7) & 1;
      there <<= 1;
      const one = bit(decoder, probs, from + 0x100 + (expected << 8) + node);
      node = (node << 1) | one;
      if (one !== expected) break;
    }
  }
  while (node < 0x100) node = (node << 1) | bit(decoder, probs, from + node);
  return node & 0xff;
}

function matchLength(decoder: Lzma, probs: Uint16Array, from: number, place: number): number {
  if (bit(decoder, probs, from) === 0) return 2 + tree(decoder, probs, from + LOW + place * 8, 3);
  if (bit(decoder, probs, from + 1) === 0) return 10 + tree(decoder, probs, from + MIDDLE + place * 8, 3);
  return 18 + tree(decoder, probs, from + HIGH, 8);
}

/** A match at one of the last four distances, which comes to the front; gives its length. */
function repeatedLength(decoder: Lzma, probs: Uint16Array, place: number): number {
  const { state, distances } = decoder;
  if (bit(decoder, probs, REPEATED_0 + state) === 0) {
    if (bit(decoder, probs, LONG_0 + (state << 4) + place) === 0) {
      decoder.state = state < 7 ? 9 : 11;
      return 1;
    }
  } else {
    let index = 1;
    if (bit(decoder, probs, REPEATED_1 + state) === 1) index = 2 + bit(decoder, probs, REPEATED_2 + state);
    const far = distances[index] as number;
    distances.copyWithin(1, 0, index);
    distances[0] = far;
  }
  decoder.state = state < 7 ? 8 : 11;
  return matchLength(decoder, probs, REPEATED_LENGTH, place);
}

function distance(decoder: Lzma, probs: Uint16Array, length: number): number {
  const slot = tree(decoder, probs, SLOT + Math.min(length - 2, 3) * 64, 6);
  if (slot < 4) return slot;
  const bits = (slot >> 1) - 1;
  let far = (2 | (slot & 1)) << bits;
  if (slot < 14) return far + reverseTree(decoder, probs, SPECIAL + far - slot, bits);
  far = (2 | (slot & 1)) >>> 0;
  for (let left = bits - 4; left > 0; left--) far = ((far << 1) | evenBit(decoder)) >>> 0;
  return ((far << 4) | reverseTree(decoder, probs, ALIGN, 4)) >>> 0;
}

/** A bit that is as likely one as zero. */
function evenBit(decoder: Lzma): 0 | 1 {
  normalize(decoder);
  const { words } = decoder;
  const half = (words[0] as number) >>> 1;
  words[0] = half;
  if ((words[1] as number) < half) return 0;
  words[1] = (words[1] as number) - half;
  return 1;
}
