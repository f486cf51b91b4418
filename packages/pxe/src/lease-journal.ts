import { isIPv4 } from "node:net";
import { crc32 } from "node:zlib";
import type { Lease } from "./leases.ts";

/**
 * Leases as lines of a file: a CRC-32 in hex, a space, and JSON; the first line says what the file is. A later
 * line about an address replaces the earlier ones. Each line proves itself, so that a torn or damaged one is
 * known for what it is and the others still count.
 */
const HEADER = { format: "justenough-leases", version: 1 };

/** The monotonic clock of the leases beside the one that goes on while the server is off. */
export interface Clocks {
  /** Milliseconds on the engine's clock. */
  readonly monotonic: number;
  /** The same moment in milliseconds since 1970. */
  readonly wall: number;
}

/** What a journal's bytes hold. */
export interface JournalText {
  /** The last line about each address. */
  readonly lines: ReadonlyMap<string, string>;
  readonly leases: readonly Lease[];
  /** Lines that are damaged and have whole ones after them. */
  readonly damaged: number;
  /** Where the last whole line ends; what follows is torn. */
  readonly end: number;
}

function sealed(value: unknown): string {
  const json = JSON.stringify(value);
  return `${crc32(json).toString(16).padStart(8, "0")} ${json}\n`;
}

function unsealed(line: string): unknown {
  const json = line.slice(9);
  if (line[8] !== " " || line.slice(0, 8) !== crc32(json).toString(16).padStart(8, "0")) return undefined;
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** The first line of a journal. */
export function journalHeader(): string {
  return sealed(HEADER);
}

/** A lease as a line. */
export function journalLine(lease: Lease, clocks: Clocks): string {
  const { address, mac, clientId, state, expires, boot } = lease;
  const until = Math.round(clocks.wall + expires - clocks.monotonic);
  return sealed({ address, mac, id: clientId, state, until, boot });
}

const STATES: ReadonlySet<unknown> = new Set<Lease["state"]>(["bound", "released", "declined"]);

function leaseOf(value: unknown, clocks: Clocks): Lease | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { address, mac, id, state, until, boot } = value as Record<string, unknown>;
  if (typeof address !== "string" || !isIPv4(address) || typeof mac !== "string") return undefined;
  if (!STATES.has(state)) return undefined;
  if (typeof until !== "number" || typeof boot !== "boolean") return undefined;
  const expires = clocks.monotonic + until - clocks.wall;
  const clientId = typeof id === "string" ? { clientId: id } : {};
  return { address, mac, ...clientId, state: state as Lease["state"], expires, boot };
}

/** Read a journal; undefined when the bytes are something else, which must not be written over. */
export function readJournal(bytes: Buffer, clocks: Clocks): JournalText | undefined {
  const lines = new Map<string, string>();
  const leases = new Map<string, Lease>();
  let damaged = 0;
  let suspects = 0;
  let end = 0;
  for (let start = 0; start < bytes.length;) {
    const stop = bytes.indexOf(10, start);
    if (stop < 0) break;
    const line = bytes.toString("utf8", start, stop);
    const value = unsealed(line);
    if (start === 0) {
      const header = value as Partial<typeof HEADER> | undefined;
      if (header?.format !== HEADER.format || header.version !== HEADER.version) return undefined;
      end = stop + 1;
    } else {
      const lease = leaseOf(value, clocks);
      if (lease) {
        lines.set(lease.address, `${line}\n`);
        leases.set(lease.address, lease);
        damaged += suspects;
        suspects = 0;
        end = stop + 1;
      } else suspects++;
    }
    start = stop + 1;
  }
  if (end === 0) return undefined;
  return { lines, leases: [...leases.values()], damaged, end };
}
