import type { BootClient } from "./client.ts";
import { httpUrl, LOOP_FILE, type BootSite, type BootStep } from "./boot-policy.ts";

/** Seconds within which the same stage may not come twice. */
const LOOP_WINDOW_MS = 60_000;
/** Machines remembered; the oldest is forgotten first. */
const REMEMBERED = 4096;

interface Stage {
  readonly stage: "script" | "binary";
  readonly ipxe: boolean;
  readonly xid: number;
  readonly at: number;
}

/** The last step that each machine (by hardware address) was given. */
export type StageBook = ReadonlyMap<string, Stage>;

/** A judged step: perhaps replaced, perhaps with an alarm. */
export interface StageVerdict {
  readonly book: StageBook;
  readonly step: BootStep;
  readonly alarm?: string;
}

/**
 * Note the step that a machine gets and raise an alarm when it is the same as the one before, within a
 * minute and in another exchange. iPXE that is sent to a boot program for the second time is in an endless
 * chain (each round costs it 15 KB of base memory): it gets a script that prints the reason instead.
 */
export function noteStage(
  book: StageBook,
  exchange: { client: BootClient; step: BootStep; xid: number; now: number; site: BootSite },
): StageVerdict {
  const { client, step, xid, now, site } = exchange;
  if (step.stage === "none") return { book, step };
  const before = book.get(client.mac);
  const ipxe = client.ipxe !== undefined;
  const next = new Map(book);
  next.delete(client.mac);
  next.set(client.mac, { stage: step.stage, ipxe, xid, at: now });
  const oldest = next.size > REMEMBERED ? next.keys().next().value : undefined;
  if (oldest !== undefined) next.delete(oldest);

  const repeated =
    before?.stage === step.stage &&
    before.ipxe === ipxe &&
    before.xid !== xid &&
    now - before.at < LOOP_WINDOW_MS;
  if (!repeated) return { book: next, step };
  if (step.stage === "binary" && ipxe) {
    return {
      book: next,
      step: { stage: "script", url: httpUrl(site, LOOP_FILE) },
      alarm: "its iPXE came back from the boot program unable to start Linux; the chain is stopped",
    };
  }
  const what = step.stage === "script" ? "the iPXE script" : "the boot program";
  return { book: next, step, alarm: `it was sent to ${what} twice within a minute` };
}
