/** A longer timer of Node.js fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A limit in milliseconds as timers take it: of one beyond that, `Infinity` too, they wait 24 days. */
export function timerLimit(limit: number): number {
  return Math.min(limit, LONGEST_TIMER);
}
