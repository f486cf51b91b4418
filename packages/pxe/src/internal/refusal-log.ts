import { remember } from "./remember.ts";

/** What is written of refused and unanswered requests, so that a flood of them is no flood of lines. */
export interface RefusalLog {
  /** Undefined: written already, be silent. Else the text to write. */
  note(client: string, file: string, message: string): string | undefined;
}

const PERIOD_MS = 60_000;
/** A machine with pxelinux asks for a dozen files that are not there. */
const MOST_LINES = 32;
const MOST_CLIENTS = 1024;
/** Lines a minute, for all clients together: a flood may come from any number of forged addresses. */
const MOST_TOTAL = 500;

/** Each text once a minute and client, and so many different ones. Clients are forgotten, oldest first. */
export function refusalLog(now: () => number): RefusalLog {
  const clients = new Map<string, { since: number; seen: Set<string>; hidden: number }>();
  let total = { since: now(), lines: 0 };
  return {
    note(client, file, message) {
      if (now() - total.since >= PERIOD_MS) total = { since: now(), lines: 0 };
      let known = clients.get(client);
      const hiddenBefore = known && now() - known.since >= PERIOD_MS ? known.hidden : 0;
      if (!known || now() - known.since >= PERIOD_MS) {
        known = { since: now(), seen: new Set(), hidden: 0 };
        remember(clients, client, known, MOST_CLIENTS);
      }
      const what = `${message}\0${file.slice(0, 256)}`;
      if (known.seen.has(what) || known.seen.size >= MOST_LINES || total.lines >= MOST_TOTAL) {
        known.hidden++;
        return undefined;
      }
      known.seen.add(what);
      total.lines++;
      return hiddenBefore > 0 ? `${message} (${hiddenBefore} more of this client were not written)` : message;
    },
  };
}
