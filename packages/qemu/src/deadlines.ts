/** Limits in milliseconds, each counted from the guest's first instruction. Absent means none. */
export interface Deadlines {
  /** Until the first byte on the console. */
  readonly firstOutput?: number | undefined;
  /** Without a byte on any serial port. */
  readonly idle?: number | undefined;
  /** Until the end. */
  readonly total?: number | undefined;
}

export type DeadlineName = keyof Deadlines;

export interface DeadlineWatch {
  start(limits: Deadlines): void;
  /** A byte came, on the console or on another port. */
  output(onConsole: boolean): void;
  stop(): void;
}

/** A longer timer of Node.js would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Calls `onExpire` once, at the first limit that is passed. */
export function watchDeadlines(onExpire: (name: DeadlineName, limit: number) => void): DeadlineWatch {
  const timers = new Map<DeadlineName, NodeJS.Timeout>();
  const stop = (): void => {
    for (const timer of timers.values()) clearTimeout(timer);
    timers.clear();
  };
  const expire = (name: DeadlineName, limit: number): void => {
    stop();
    onExpire(name, limit);
  };
  return {
    start: (limits) => {
      for (const name of ["firstOutput", "idle", "total"] as const) {
        const limit = limits[name];
        if (limit !== undefined)
          timers.set(name, setTimeout(expire, Math.min(limit, LONGEST_TIMER), name, limit));
      }
    },
    output: (onConsole) => {
      if (onConsole) {
        clearTimeout(timers.get("firstOutput"));
        timers.delete("firstOutput");
      }
      timers.get("idle")?.refresh();
    },
    stop,
  };
}
