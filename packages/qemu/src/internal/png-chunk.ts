import { crc32 } from "node:zlib";

export const PNG_SIGNATURE: Uint8Array = Buffer.from("89504e470d0a1a0a", "hex");

/** A chunk of a PNG file: length, type, data, and the checksum of the latter two (PNG specification, 5.3). */
export function pngChunk(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const name = Buffer.from(type, "latin1");
  const chunk = Buffer.concat([Buffer.alloc(4), name, ...parts, Buffer.alloc(4)]);
  chunk.writeUInt32BE(chunk.length - 12, 0);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, -4)), chunk.length - 4);
  return chunk;
}
