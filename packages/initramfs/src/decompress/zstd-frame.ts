/** The largest window that zstd takes unless told otherwise, ZSTD_MAXWINDOWSIZE_DEFAULT. */
const MAX_WINDOW = 2 ** 27 + 1;
const MAX_BLOCK = 128 << 10;
const HEADER_MIN = 5;

/** The header of a frame (RFC 8878, 3.1.1.1). */
export interface FrameHeader {
  readonly length: number;
  readonly window: number;
  readonly contentSize: number | undefined;
  readonly hasChecksum: boolean;
  readonly hasDictionary: boolean;
}

/** Why a frame cannot be read on. */
export type FrameFault = "magic" | "header" | "shortHeader" | "window" | "damaged" | "truncated";

/** A block, header and all. */
export interface FrameBlock {
  readonly at: number;
  readonly end: number;
  /** 0 raw, 1 one byte repeated, 2 compressed */
  readonly type: number;
}

/** The header, or why there is none. */
export function readFrameHeader(bytes: Uint8Array): FrameHeader | FrameFault {
  if (bytes.length < HEADER_MIN) return "shortHeader";
  if (bytes[0] !== 0x28 || bytes[1] !== 0xb5 || bytes[2] !== 0x2f || bytes[3] !== 0xfd) return "magic";
  const descriptor = bytes[4] as number;
  const single = (descriptor & 0x20) !== 0;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const length = HEADER_MIN + (single ? 0 : 1) + dictionarySize + sizeSize;
  if (bytes.length < length) return "shortHeader";
  if ((descriptor & 8) !== 0) return "header";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sizeAt = length - sizeSize;
  const contentSize = [
    () => (single ? view.getUint8(sizeAt) : undefined),
    () => view.getUint16(sizeAt, true) + 256,
    () => view.getUint32(sizeAt, true),
    () => Number(view.getBigUint64(sizeAt, true)),
  ][descriptor >> 6]?.();
  const log = 10 + ((bytes[5] as number) >> 3);
  if (!single && log > 31) return "window";
  return {
    length,
    window: single ? (contentSize as number) : 2 ** log + (2 ** log / 8) * ((bytes[5] as number) & 7),
    contentSize,
    hasChecksum: (descriptor & 4) !== 0,
    hasDictionary: bytes.subarray(sizeAt - dictionarySize, sizeAt).some((byte) => byte !== 0),
  };
}

/** Whether zstd takes so large a window. */
export function fits(header: FrameHeader): boolean {
  return header.window <= MAX_WINDOW;
}

/** The blocks of a frame as far as they are there, and what comes after the last of them. */
export function readBlocks(
  bytes: Uint8Array,
  header: FrameHeader,
): { readonly blocks: readonly FrameBlock[]; readonly end: number; readonly fault?: FrameFault } {
  const blocks: FrameBlock[] = [];
  const largest = Math.min(header.window, MAX_BLOCK);
  for (let at = header.length; ;) {
    if (bytes.length - at < 3) return { blocks, end: at, fault: "truncated" };
    const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    const type = (word >> 1) & 3;
    const size = type === 1 ? 1 : word >> 3;
    if (type === 3 || size > largest) return { blocks, end: at, fault: "damaged" };
    const end = at + 3 + size;
    if (end > bytes.length) return { blocks, end: at, fault: "truncated" };
    blocks.push({ at, end, type });
    at = end;
    if ((word & 1) === 0) continue;
    if (!header.hasChecksum) return { blocks, end: at };
    return bytes.length - at < 4 ? { blocks, end: at, fault: "truncated" } : { blocks, end: at + 4 };
  }
}
