import type { TftpPeer } from "../tftp-host.ts";
import type { Session } from "./tftp-session.ts";

/** One transfer's place in the table, from its request until its port is closed. */
export interface SessionEntry {
  readonly client: TftpPeer;
  /** The request as it came: the same again is a repetition. */
  readonly request: Uint8Array;
  /** Undefined while its file and port are being opened. */
  session: Session | undefined;
}

/** The transfers under way, by the client's address and port. */
export interface SessionTable {
  readonly size: number;
  get(client: TftpPeer): SessionEntry | undefined;
  /** Make a place, at the cost of a transfer that nobody confirmed if the table is full; undefined: no place. */
  admit(client: TftpPeer, request: Uint8Array): SessionEntry | undefined;
  /** The result is known: it counts no longer as one of its client's. */
  settle(entry: SessionEntry): void;
  remove(entry: SessionEntry): void;
  entries(): readonly SessionEntry[];
}

const keyOf = (client: TftpPeer): string => `${client.address}:${client.port}`;

/** Make an empty table: so many transfers for one address, so many in total. */
export function sessionTable(limits: { perClient: number; total: number }): SessionTable {
  const table = new Map<string, SessionEntry>();
  const counts = new Map<string, number>();
  const counted = new Set<SessionEntry>();

  const settle = (entry: SessionEntry): void => {
    if (!counted.delete(entry)) return;
    const { address } = entry.client;
    const left = (counts.get(address) ?? 1) - 1;
    if (left > 0) counts.set(address, left);
    else counts.delete(address);
  };
  const remove = (entry: SessionEntry): void => {
    settle(entry);
    const key = keyOf(entry.client);
    if (table.get(key) === entry) table.delete(key);
  };

  return {
    get size() {
      return table.size;
    },
    get: (client) => table.get(keyOf(client)),
    admit(client, request) {
      const count = counts.get(client.address) ?? 0;
      if (count >= limits.perClient) return undefined;
      if (table.size >= limits.total) {
        // A flood of forged addresses fills the table with such; real clients answer within milliseconds.
        for (const entry of table.values()) {
          const { session } = entry;
          if (!session || (session.heard() && !session.over())) continue;
          remove(entry);
          void session.abandon("another client needed its place", false);
          break;
        }
        if (table.size >= limits.total) return undefined;
      }
      const entry: SessionEntry = { client, request, session: undefined };
      table.set(keyOf(client), entry);
      counts.set(client.address, count + 1);
      counted.add(entry);
      return entry;
    },
    settle,
    remove,
    entries: () => [...table.values()],
  };
}
