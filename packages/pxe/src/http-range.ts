/** A piece of a file: `start` and `end` are byte positions, both included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Read a Range header (RFC 9110 section 14.2) for a file of `size` bytes: a range, "unsatisfiable" (answer
 * 416), or undefined to send the whole. Several ranges at once, or a header that makes no sense, are
 * answered with the whole, as the RFC allows.
 */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})$/i.exec(header?.trim() ?? "");
  if (!match) return undefined;
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return undefined;
  if (first === "") {
    const length = Number(last);
    return length === 0 || size === 0
      ? "unsatisfiable"
      : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size - 1 : Math.min(Number(last), size - 1) };
}
