import type { PxeEventBody } from "../events.ts";

/** A client's misdeed is told once in this time. */
const FORGET_MS = 600_000;
/** Clients and reasons remembered; the oldest is forgotten first. */
const MOST = 4096;
/** Boot programs probe for files; this many in ten minutes is no probing any more. */
const MOST_MISSES = 200;

/** Tells of refused requests once for each client and reason, however often they come. */
export interface Refusals {
  /** True when this is the first in a while, and was told. */
  refuse(client: string, reason: string): boolean;
  /** Count a request for what is not there; false when the client has asked for too much of it. */
  miss(client: string): boolean;
}

/** Make an empty list; `now` is in milliseconds. */
export function refusals(emit: (event: PxeEventBody) => void, now: () => number): Refusals {
  const told = new Map<string, number>();
  const misses = new Map<string, { since: number; count: number }>();
  const trim = (map: Map<string, unknown>): void => {
    const oldest = map.size > MOST ? map.keys().next().value : undefined;
    if (oldest !== undefined) map.delete(oldest);
  };
  const refuse = (client: string, reason: string): boolean => {
    const key = `${client} ${reason}`;
    const at = now();
    const before = told.get(key);
    if (before !== undefined && at - before < FORGET_MS) return false;
    told.delete(key);
    told.set(key, at);
    trim(told);
    const hint = "told once in ten minutes; other clients are served on";
    emit({ kind: "warning", code: "refused", message: `Refused ${client}: ${reason}`, hint });
    return true;
  };
  return {
    refuse,
    miss(client) {
      const at = now();
      const before = misses.get(client);
      const fresh = before === undefined || at - before.since >= FORGET_MS;
      const count = fresh ? 1 : before.count + 1;
      misses.delete(client);
      misses.set(client, { since: fresh ? at : before.since, count });
      trim(misses);
      if (count <= MOST_MISSES) return true;
      refuse(client, "it asks for very many files that are not there");
      return false;
    },
  };
}
