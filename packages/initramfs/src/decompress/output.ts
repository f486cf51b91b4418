/** What a decompressor has written: one buffer that grows, so that matches look back in it. */
export interface Output {
  bytes: Uint8Array;
  length: number;
  readonly limit: number;
}

/** What one member became, before it is told to the caller. */
export interface Unpacked {
  readonly pieces: readonly Uint8Array[];
  readonly consumed: number;
  readonly error?: string;
  readonly readsBeyond?: true;
}

/** As many pieces as the smallest usual ones, of 4 KiB, make of 2 GiB: others may be of one byte. */
export const MOST_PIECES = 1 << 19;

/** Ends a decompression that would fill the memory. */
export class OutputLimit extends Error {}

/** An empty output that takes up to `limit` bytes. */
export function output(limit: number): Output {
  return { bytes: new Uint8Array(Math.min(limit, 1 << 16)), length: 0, limit };
}

/**
 * Makes room for so many bytes more.
 *
 * @throws {OutputLimit} when they would be too many
 */
export function reserve(out: Output, more: number): void {
  const wanted = out.length + more;
  if (wanted <= out.bytes.length) return;
  if (wanted > out.limit) throw new OutputLimit();
  const bytes = new Uint8Array(Math.min(out.limit, Math.max(wanted, out.bytes.length * 2)));
  bytes.set(out.bytes.subarray(0, out.length));
  out.bytes = bytes;
}

/** Under so many bytes a loop is faster than a call that copies them. */
const SHORT = 64;

/** Copies bytes from one place to another, in which they do not overlap. */
export function copy(to: Uint8Array, at: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start > SHORT) to.set(bytes.subarray(start, end), at);
  else for (let from = start, place = at; from < end; from++, place++) to[place] = bytes[from] as number;
}

/** Copies within the bytes what stands `distance` before; if that is less than the length, it repeats. */
export function copyBack(bytes: Uint8Array, at: number, distance: number, length: number): void {
  if (distance >= length && length > SHORT) bytes.copyWithin(at, at - distance, at - distance + length);
  else for (let place = at; place < at + length; place++) bytes[place] = bytes[place - distance] as number;
}

/** Appends the bytes from `start` to `end`. */
export function append(out: Output, bytes: Uint8Array, start: number, end: number): void {
  reserve(out, end - start);
  copy(out.bytes, out.length, bytes, start, end);
  out.length += end - start;
}

/** Repeats what was written `distance` bytes ago; the two may overlap. */
export function repeat(out: Output, distance: number, length: number): void {
  reserve(out, length);
  copyBack(out.bytes, out.length, distance, length);
  out.length += length;
}

/** The first `length` bytes in pieces of one size, the last one shorter. */
export function cut(out: Output, size: number, length = out.length): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < length; at += size) {
    pieces.push(out.bytes.subarray(at, Math.min(at + size, length)));
  }
  return pieces;
}

/**
 * How much of `length` bytes was handed on in pieces of one size by a decompressor that hands a piece on only when there
 * is a byte more than fits, and drops what it still holds when it fails.
 */
export function handedOn(length: number, size: number): number {
  return Math.max(0, Math.ceil(length / size) - 1) * size;
}
