import { remember } from "./remember.ts";

/** How long a complaint that was made is not repeated. */
const SILENCE_MS = 60_000;
/** Complaints remembered; strangers choose what some of them are about. */
const REMEMBERED = 256;

/** Complaints that were made, by subject. */
export type Complaints = Map<string, number>;

/** True when a complaint about this subject was not made within the last minute, which it now is. */
export function complain(made: Complaints, subject: string, now: number): boolean {
  const before = made.get(subject);
  if (before !== undefined && now - before < SILENCE_MS) return false;
  remember(made, subject, now, REMEMBERED);
  return true;
}
