import { append, type Output, repeat, reserve } from "./output.ts";

/** Where a deflate stream (RFC 1951) ended, or why not. */
export interface Inflated {
  readonly end: number;
  readonly fault?: "damaged" | "truncated";
}

/** A table to look a code up by its next bits: the symbol, and the length of its code in the lowest four bits. */
interface Codes {
  readonly bits: number;
  readonly table: Uint16Array;
}

const FAULTS = { damaged: new Error("damaged"), truncated: new Error("truncated") };
/** In which order the lengths of the code length codes stand. */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const LENGTH_BASE = bases(3, LENGTH_EXTRA).with(28, 258);
const DISTANCE_EXTRA = Array.from({ length: 30 }, (_, code) => Math.max(0, (code >> 1) - 1));
const DISTANCE_BASE = bases(1, DISTANCE_EXTRA);
const FIXED = {
  literals: codes(
    Uint8Array.from({ length: 288 }, (_, symbol) =>
      symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
    ),
    false,
  ),
  distances: codes(new Uint8Array(32).fill(5), false),
};

/**
 * Inflates what Node's zlib would not: up to the very symbol that is damaged, or for which the input does not suffice.
 * What is damaged is what lib/zlib_inflate says: an incomplete code is, unless it is of one bit.
 */
export function inflateUpToFault(bytes: Uint8Array, start: number, out: Output): Inflated {
  let at = start;
  let hold = 0;
  let held = 0;

  /** The next bits, zeros after the end of the input. */
  const peek = (count: number): number => {
    for (; held < count && at < bytes.length; held += 8) hold |= (bytes[at++] as number) << held;
    return hold & ((1 << count) - 1);
  };
  const drop = (count: number): void => {
    if (count > held) throw FAULTS.truncated;
    hold >>>= count;
    held -= count;
  };
  const take = (count: number): number => {
    const value = peek(count);
    drop(count);
    return value;
  };
  const symbol = ({ bits, table }: Codes): number => {
    const entry = table[peek(bits)] as number;
    if (entry === 0) throw held < bits ? FAULTS.truncated : FAULTS.damaged;
    drop(entry & 15);
    return entry >> 4;
  };

  const stored = (): void => {
    drop(held & 7);
    const length = take(16);
    if (take(16) !== (length ^ 0xffff)) throw FAULTS.damaged;
    at -= held >> 3;
    hold = 0;
    held = 0;
    const end = Math.min(at + length, bytes.length);
    append(out, bytes, at, end);
    if (end < at + length) throw FAULTS.truncated;
    at = end;
  };

  const dynamicCodes = (): { literals: Codes; distances: Codes } => {
    const literals = take(5) + 257;
    const distances = take(5) + 1;
    const count = take(4) + 4;
    if (literals > 286 || distances > 30) throw FAULTS.damaged;
    const order = new Uint8Array(19);
    for (const place of ORDER.slice(0, count)) order[place] = take(3);
    const lengthCodes = codes(order, true);
    const lengths = new Uint8Array(literals + distances);
    for (let index = 0; index < lengths.length;) {
      const code = symbol(lengthCodes);
      if (code < 16) {
        lengths[index++] = code;
        continue;
      }
      if (code === 16 && index === 0) throw FAULTS.damaged;
      const value = code === 16 ? (lengths[index - 1] as number) : 0;
      const times = code === 16 ? 3 + take(2) : code === 17 ? 3 + take(3) : 11 + take(7);
      if (index + times > lengths.length) throw FAULTS.damaged;
      lengths.fill(value, index, index + times);
      index += times;
    }
    return {
      literals: codes(lengths.subarray(0, literals), false),
      distances: codes(lengths.subarray(literals), false),
    };
  };

  const compressed = (block: { literals: Codes; distances: Codes }): void => {
    for (;;) {
      const code = symbol(block.literals);
      if (code < 256) {
        reserve(out, 1);
        out.bytes[out.length++] = code;
        continue;
      }
      if (code === 256) return;
      if (code > 285) throw FAULTS.damaged;
      const length = (LENGTH_BASE[code - 257] as number) + take(LENGTH_EXTRA[code - 257] as number);
      const slot = symbol(block.distances);
      if (slot > 29) throw FAULTS.damaged;
      const distance = (DISTANCE_BASE[slot] as number) + take(DISTANCE_EXTRA[slot] as number);
      if (distance > out.length) throw FAULTS.damaged;
      repeat(out, distance, length);
    }
  };

  try {
    for (let last = 0; last === 0;) {
      last = take(1);
      const type = take(2);
      if (type === 3) throw FAULTS.damaged;
      if (type === 0) stored();
      else compressed(type === 1 ? FIXED : dynamicCodes());
    }
  } catch (error) {
    if (error === FAULTS.damaged) return { end: at - (held >> 3), fault: "damaged" };
    if (error === FAULTS.truncated) return { end: at, fault: "truncated" };
    throw error;
  }
  return { end: at - (held >> 3) };
}

function bases(first: number, extra: readonly number[]): number[] {
  let base = first;
  return extra.map((bits) => (base += 1 << bits) - (1 << bits));
}

/** The table of a canonical code (RFC 1951, 3.2.2); where no code fits it is 0. */
function codes(lengths: Uint8Array, complete: boolean): Codes {
  const counts = new Uint16Array(16);
  for (const length of lengths) counts[length] = (counts[length] as number) + 1;
  counts[0] = 0;
  const bits = Math.max(1, ...lengths);
  const next = new Uint16Array(17);
  let left = 1;
  for (let length = 1; length <= 15; length++) {
    left = left * 2 - (counts[length] as number);
    if (left < 0) throw FAULTS.damaged;
    next[length + 1] = ((next[length] as number) + (counts[length] as number)) << 1;
  }
  const table = new Uint16Array(1 << bits);
  if (lengths.every((length) => length === 0)) {
    // Without any code it is the use of one that fails; but for lengths each bit is then one of 0.
    return { bits, table: complete ? table.fill(1) : table };
  }
  if (left > 0 && (complete || bits !== 1)) throw FAULTS.damaged;
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const code = next[length] as number;
    next[length] = code + 1;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((code >> bit) & 1) << (length - 1 - bit);
    for (; reversed < table.length; reversed += 1 << length) table[reversed] = (symbol << 4) | length;
  }
  return { bits, table };
}
