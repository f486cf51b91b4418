/**
 * Linux's names are bytes, and archives hold names that are no UTF-8. Such bytes become the lone surrogates
 * U+DC80 to U+DCFF, which no valid text contains (as Python does it, PEP 383), and bytes again when written.
 */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ESCAPED = /[\uDC80-\uDCFF]/u;

/** The text of a name's bytes; `encodeName` gives exactly the bytes back. */
export function decodeName(bytes: Uint8Array): string {
  const whole = decodeUtf8(bytes);
  if (whole !== undefined) return whole;
  let text = "";
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes[at] as number);
    const part = length === 0 ? undefined : decodeUtf8(bytes.subarray(at, at + length));
    text += part ?? String.fromCharCode(0xdc00 + (bytes[at] as number));
    at += part === undefined ? 1 : length;
  }
  return text;
}

/** What to store for a name: the string itself where it is valid text, which is nearly always. */
export function encodeName(text: string): string | Buffer {
  if (!ESCAPED.test(text)) return text;
  const parts = text.split(/([\uDC80-\uDCFF])/u);
  return Buffer.concat(
    parts.map((part) =>
      ESCAPED.test(part) ? Buffer.from([part.charCodeAt(0) - 0xdc00]) : Buffer.from(part),
    ),
  );
}

/** Bytes of a name as it is stored. */
export function nameLength(text: string): number {
  return Buffer.byteLength(encodeName(text));
}

/** Bytewise, as `LC_ALL=C sort`. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x === y) continue;
    // Only from the surrogates on do UTF-16 and UTF-8 order differently.
    if (x < 0xd800 || y < 0xd800) return x - y;
    return Buffer.compare(Buffer.from(encodeName(a)), Buffer.from(encodeName(b)));
  }
  return a.length - b.length;
}

/** For messages: in quotes, and without characters that would steer a terminal or turn the line around. */
export function quoteName(text: string): string {
  const short = text.length > 200 ? `${text.slice(0, 100)}…${text.slice(-80)}` : text;
  return JSON.stringify(short).replace(
    /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead < 0xe0) return 2;
  if (lead >= 0xe0 && lead < 0xf0) return 3;
  return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}
