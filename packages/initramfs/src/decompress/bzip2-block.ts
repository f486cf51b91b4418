import { type Bits, take } from "./bits.ts";

const GROUP = 50;
const LONGEST = 20;

/** A Huffman code: up to which value there are codes of a length, where they begin in `symbols`. */
interface Codes {
  readonly shortest: number;
  readonly longest: number;
  readonly limits: Int32Array;
  readonly offsets: Int32Array;
  readonly symbols: Uint16Array;
}

/**
 * Reads a block after its checksum and prepares the way back through the Burrows-Wheeler transform: in each entry a byte,
 * and above it the place of the next entry. `undefined` if it is damaged, as get_next_block() of
 * lib/decompress_bunzip2.c sees it, except for codes that no bzip2 writes, with which the kernel reads on.
 */
export function readBlock(
  bits: Bits,
  block: Uint32Array,
): { readonly length: number; readonly first: number } | undefined {
  // Randomised blocks are of bzip2 0.9.0.
  if (take(bits, 1) === 1) return undefined;
  const first = take(bits, 24);
  if (first >= block.length) return undefined;
  const alphabet = readAlphabet(bits);
  const groups = take(bits, 3);
  if (groups < 2 || groups > 6) return undefined;
  const selectors = readSelectors(bits, groups);
  if (selectors === undefined) return undefined;
  const codes: Codes[] = [];
  for (let group = 0; group < groups; group++) {
    const read = readCodes(bits, alphabet.length + 2);
    if (read === undefined) return undefined;
    codes.push(read);
  }
  const length = readSymbols(bits, block, alphabet, selectors, codes);
  if (length === undefined || (length > 0 && first >= length)) return undefined;
  chain(block, length);
  return { length, first };
}

/** The bytes that are in the block. */
function readAlphabet(bits: Bits): Uint8Array {
  const used = take(bits, 16);
  const alphabet: number[] = [];
  for (let row = 0; row < 16; row++) {
    if ((used & (0x8000 >> row)) === 0) continue;
    const part = take(bits, 16);
    for (let column = 0; column < 16; column++) {
      if ((part & (0x8000 >> column)) !== 0) alphabet.push(row * 16 + column);
    }
  }
  return Uint8Array.from(alphabet);
}

/** Which code each fifty symbols use. */
function readSelectors(bits: Bits, groups: number): Uint8Array | undefined {
  const count = take(bits, 15);
  if (count === 0) return undefined;
  const recent = Uint8Array.from({ length: groups }, (_, group) => group);
  const selectors = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    let place = 0;
    while (take(bits, 1) === 1) if (++place >= groups) return undefined;
    selectors[index] = toFront(recent, place);
  }
  return selectors;
}

function toFront(recent: Uint8Array, place: number): number {
  const value = recent[place] as number;
  recent.copyWithin(1, 0, place);
  recent[0] = value;
  return value;
}

function readCodes(bits: Bits, count: number): Codes | undefined {
  const lengths = new Uint8Array(count);
  let length = take(bits, 5);
  for (let symbol = 0; symbol < count; symbol++) {
    for (;;) {
      if (length < 1 || length > LONGEST) return undefined;
      if (take(bits, 1) === 0) break;
      length += take(bits, 1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const shortest = Math.min(...lengths);
  const longest = Math.max(...lengths);
  const symbols = new Uint16Array(count);
  const limits = new Int32Array(LONGEST + 2);
  const offsets = new Int32Array(LONGEST + 2);
  let code = 0;
  let filled = 0;
  for (let size = shortest; size <= longest; size++) {
    offsets[size] = code - filled;
    for (let symbol = 0; symbol < count; symbol++) {
      if (lengths[symbol] !== size) continue;
      symbols[filled++] = symbol;
      code++;
    }
    limits[size] = code;
    code <<= 1;
  }
  return { shortest, longest, limits, offsets, symbols };
}

function readSymbol(bits: Bits, codes: Codes): number | undefined {
  const all = take(bits, codes.longest);
  for (let size = codes.shortest; size <= codes.longest; size++) {
    const code = all >>> (codes.longest - size);
    if (code >= (codes.limits[size] as number)) continue;
    // What was read too much is put back.
    bits.held += codes.longest - size;
    return codes.symbols[code - (codes.offsets[size] as number)];
  }
  return undefined;
}

/** The bytes of the block in sorted order; gives their number. */
function readSymbols(
  bits: Bits,
  block: Uint32Array,
  alphabet: Uint8Array,
  selectors: Uint8Array,
  codes: readonly Codes[],
): number | undefined {
  const recent = Uint8Array.from({ length: 256 }, (_, index) => index);
  let length = 0;
  let run = 0;
  let weight = 1;
  for (let read = 0; ; read++) {
    const selector = selectors[Math.floor(read / GROUP)];
    if (selector === undefined) return undefined;
    const symbol = readSymbol(bits, codes[selector] as Codes);
    if (symbol === undefined) return undefined;
    if (symbol < 2) {
      // The length of a run, its digits being 1 and 2.
      run += weight << symbol;
      if (run > block.length) return undefined;
      weight <<= 1;
      continue;
    }
    if (run > 0) {
      if (length + run > block.length) return undefined;
      block.fill(alphabet[recent[0] as number] ?? 0, length, length + run);
      length += run;
      run = 0;
      weight = 1;
    }
    if (symbol > alphabet.length) return length;
    if (length === block.length) return undefined;
    block[length++] = alphabet[toFront(recent, symbol - 1)] as number;
  }
}

/** Notes with each entry the place of the one after it. */
function chain(block: Uint32Array, length: number): void {
  const places = new Uint32Array(257);
  for (let index = 0; index < length; index++) {
    const byte = block[index] as number;
    places[byte + 1] = (places[byte + 1] as number) + 1;
  }
  for (let byte = 1; byte < 257; byte++)
    places[byte] = (places[byte] as number) + (places[byte - 1] as number);
  for (let index = 0; index < length; index++) {
    const byte = (block[index] as number) & 0xff;
    const place = places[byte] as number;
    places[byte] = place + 1;
    block[place] = (block[place] as number) | (index << 8);
  }
}
