import { layerError } from "./layer-error.ts";

/** A block of a tar archive, before extended headers are applied. */
export interface TarHeader {
  readonly name: Uint8Array;
  readonly linkname: Uint8Array;
  readonly typeflag: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
}

const NUL = 0;
const SPACE = 0x20;

/** Parses a header block (POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar's tar.h); `undefined` if all are zero. */
export function parseTarHeader(block: Uint8Array, archive: string): TarHeader | undefined {
  if (block.every((byte) => byte === 0)) return undefined;
  if (!checksumFits(block)) {
    throw layerError(
      archive,
      undefined,
      "it is no tar archive, or damaged: the checksum of a header is wrong",
    );
  }
  const magic = Buffer.from(block.subarray(257, 265)).toString("latin1");
  const name = text(block, 0, 100);
  const number = (at: number, length: number, what: string): number => {
    const value = parseNumber(block.subarray(at, at + length));
    if (value !== undefined) return value;
    throw layerError(archive, Buffer.from(name).toString(), `has a bad number as its ${what}`);
  };
  const device = magic.startsWith("ustar");
  return {
    name: magic.startsWith("ustar\0") ? withPrefix(block, name) : name,
    linkname: text(block, 157, 100),
    typeflag: String.fromCharCode(block[156] as number),
    mode: number(100, 8, "mode"),
    uid: number(108, 8, "user"),
    gid: number(116, 8, "group"),
    size: number(124, 12, "size"),
    mtime: number(136, 12, "time"),
    major: device ? number(329, 8, "device") : 0,
    minor: device ? number(337, 8, "device") : 0,
  };
}

/** star keeps times where ustar has the end of the prefix, and says so in the last four bytes. */
function withPrefix(block: Uint8Array, name: Uint8Array): Uint8Array {
  const star = Buffer.from(block.subarray(508, 512)).equals(Buffer.from("tar\0"));
  const prefix = text(block, 345, star ? 131 : 155);
  return prefix.length === 0 ? name : Buffer.concat([prefix, Buffer.from("/"), name]);
}

/** Old tars added the bytes up as signed ones. */
function checksumFits(block: Uint8Array): boolean {
  const stored = parseNumber(block.subarray(148, 156));
  let unsigned = 8 * SPACE;
  let signed = unsigned;
  for (const [at, byte] of block.entries()) {
    if (at >= 148 && at < 156) continue;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return stored === unsigned || stored === signed;
}

function text(block: Uint8Array, at: number, length: number): Uint8Array {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(NUL);
  return end < 0 ? field : field.subarray(0, end);
}

/** Octal digits between blanks, or GNU's base-256 with the highest bit set. Not a number: `undefined`. */
function parseNumber(field: Uint8Array): number | undefined {
  const first = field[0] as number;
  if ((first & 0x80) !== 0) {
    let value = BigInt.asIntN(7, BigInt(first & 0x7f));
    for (const byte of field.subarray(1)) value = (value << 8n) | BigInt(byte);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  const digits = /^[ \0]*([0-7]*)(?:[ \0]|$)/.exec(Buffer.from(field).toString("latin1"));
  if (digits === null) return undefined;
  return digits[1] === "" ? 0 : Number.parseInt(digits[1] as string, 8);
}
