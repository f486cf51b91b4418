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

/** The last step that each machine (by hardware address) was given; only `noteStage` writes it. */
export type StageBook = Map<string, Stage>;

/** A judged step: perhaps replaced, perhaps with an alarm. */
export interface StageVerdict {
  readonly step: BootStep;
  readonly alarm?: string;
}

/** A step that a machine shall get, in one exchange. */
export interface StageExchange {
  readonly client: BootClient;
  readonly step: BootStep;
  readonly xid: number;
  readonly now: number;
  readonly site: BootSite;
}

/**
 * Judge the step that a machine shall get: an alarm when it is the same as the one before, within a minute
 * and in another exchange. iPXE that is sent to a boot program for the second time is in an endless chain
 * (each round costs it 15 KB of base memory): it gets a script that prints the reason instead.
 */
export function judgeStage(book: StageBook, exchange: StageExchange): StageVerdict {
  const { client, step, xid, now, site } = exchange;
  // What loads Linux by itself comes back only when the machine is started anew.
  if (step.stage === "none" || (step.stage === "binary" && step.last === true)) return { step };
  const before = book.get(client.mac);
  const ipxe = client.ipxe !== undefined;
  const repeated =
    before?.stage === step.stage &&
    before.ipxe === ipxe &&
    before.xid !== xid &&
    now - before.at < LOOP_WINDOW_MS;
  if (!repeated) return { step };
  if (step.stage === "binary" && ipxe) {
    return {
      step: { stage: "script", url: httpUrl(site, LOOP_FILE) },
      alarm: "its iPXE came back from the boot program unable to start Linux; the chain is stopped",
    };
  }
  const what = step.stage === "script" ? "the iPXE script" : "the boot program";
  return { step, alarm: `it was sent to ${what} twice within a minute` };
}

/** Judge a step and write it down as the machine's last one. */
export function noteStage(book: StageBook, exchange: StageExchange): StageVerdict {
  const verdict = judgeStage(book, exchange);
  const { client, step, xid, now } = exchange;
  if (step.stage === "none") return verdict;
  book.delete(client.mac);
  book.set(client.mac, { stage: step.stage, ipxe: client.ipxe !== undefined, xid, at: now });
  const oldest = book.size > REMEMBERED ? book.keys().next().value : undefined;
  if (oldest !== undefined) book.delete(oldest);
  return verdict;
}
