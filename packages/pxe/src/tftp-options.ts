/** Bounds of what a server agrees to. */
export interface TftpLimits {
  /** Largest block; 1468 fits an Ethernet frame, more would need IP fragments, on which ROMs choke. */
  readonly blksize: number;
  /** Most blocks in flight. */
  readonly windowsize: number;
}

/** The limits that suit Ethernet. */
export const TFTP_LIMITS: TftpLimits = { blksize: 1468, windowsize: 64 };

/** What a transfer runs with, and what the client is told of it. */
export interface TftpTerms {
  readonly blksize: number;
  readonly windowsize: number;
  /** The options to acknowledge; empty means that there is no OACK. */
  readonly reply: ReadonlyMap<string, string>;
}

/** A decimal number inside bounds, or undefined: such an option is ignored, as RFC 2347 allows. */
function number(text: string | undefined, low: number, high: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value >= low && value <= high ? value : undefined;
}

/**
 * Agree on options (RFC 2347): only what was asked for and is understood is acknowledged, sizes are clamped
 * down and never up, `timeout` is echoed exactly, `tsize` answers with the size when it is known (in octet
 * mode). The retransmission timer adapts by itself; an agreed `timeout` only bounds it from above.
 */
export function agreeOptions(
  asked: ReadonlyMap<string, string>,
  size: number | undefined,
  limits: TftpLimits = TFTP_LIMITS,
): TftpTerms {
  const reply = new Map<string, string>();
  let blksize = 512;
  let windowsize = 1;
  for (const [name, text] of asked) {
    if (name === "blksize") {
      const value = number(text, 8, 65_464);
      if (value === undefined) continue;
      blksize = Math.min(value, limits.blksize);
      reply.set(name, String(blksize));
    } else if (name === "windowsize") {
      const value = number(text, 1, 65_535);
      if (value === undefined) continue;
      windowsize = Math.min(value, limits.windowsize);
      reply.set(name, String(windowsize));
    } else if (name === "timeout") {
      const value = number(text, 1, 255);
      if (value !== undefined) reply.set(name, text);
    } else if (name === "tsize") {
      if (size !== undefined && number(text, 0, 9_999_999_999) !== undefined) reply.set(name, String(size));
    }
  }
  return { blksize, windowsize, reply };
}
