import { layerError } from "./layer-error.ts";

/** Keyword and value of an extended header; an empty value takes back what an earlier header said. */
export type PaxRecords = Map<string, Uint8Array>;

const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/**
 * Parses an extended header: records `LENGTH KEYWORD=VALUE\n`, whose length counts itself (POSIX.1-2017 pax,
 * "pax Extended Header"). Values stay bytes: extended attributes are no text.
 */
export function parsePax(bytes: Uint8Array, archive: string): PaxRecords {
  const records: PaxRecords = new Map();
  for (let at = 0; at < bytes.length;) {
    const digits = /^(\d{1,9}) /.exec(Buffer.from(bytes.subarray(at, at + 10)).toString("latin1"));
    // GNU tar and libarchive take padding after the last record.
    if (digits === null && bytes.subarray(at).every((byte) => byte === 0)) break;
    const length = digits === null ? 0 : Number(digits[1]);
    const record = bytes.subarray(at + (digits?.[0].length ?? 0), at + length);
    const equals = record.indexOf(EQUALS);
    if (equals <= 0 || at + length > bytes.length || record.at(-1) !== NEWLINE) {
      throw layerError(archive, undefined, "it has a damaged extended header (pax)");
    }
    records.set(Buffer.from(record.subarray(0, equals)).toString(), record.subarray(equals + 1, -1));
    at += length;
  }
  return records;
}

/** A decimal number, whose fraction is cut off. */
export function paxNumber(
  value: Uint8Array | undefined,
  keyword: string,
  archive: string,
): number | undefined {
  if (value === undefined || value.length === 0) return undefined;
  const digits = /^([+-]?\d{1,16})(?:\.\d*)?$/.exec(Buffer.from(value).toString("latin1"));
  const number = Number(digits?.[1] ?? Number.NaN);
  if (Number.isSafeInteger(number)) return number;
  throw layerError(archive, undefined, `it has an extended header (pax) whose "${keyword}" is no number`);
}

const XATTR = "SCHILY.xattr.";

/** Extended attributes as star, GNU tar, libarchive and all container tools write them. */
export function paxXattrs(records: PaxRecords): ReadonlyMap<string, Uint8Array> | undefined {
  const found = [...records]
    .filter(([keyword]) => keyword.startsWith(XATTR))
    .map(([keyword, value]): [string, Uint8Array] => [keyword.slice(XATTR.length), value]);
  return found.length === 0 ? undefined : new Map(found);
}
