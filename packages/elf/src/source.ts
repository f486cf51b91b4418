/**
 * Where a file's bytes come from. The package does not touch the file system: give it `pread` on an open
 * file, an entry of an archive, or a buffer. Only headers, strings and notes are asked for, never whole files.
 */
export interface ElfSource {
  /** Size of the file in bytes. */
  readonly size: number;
  /** Gives exactly `length` bytes from `offset`; only ranges within `size` are asked for. */
  read(offset: number, length: number): Uint8Array;
}

/**
 * Makes a source of a file that is in memory.
 *
 * @example
 * ```ts
 * import { bufferSource } from "@justenough/elf";
 * console.log(bufferSource(new Uint8Array([1, 2, 3])).read(1, 2)); // Uint8Array(2) [ 2, 3 ]
 * ```
 */
export function bufferSource(bytes: Uint8Array): ElfSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
