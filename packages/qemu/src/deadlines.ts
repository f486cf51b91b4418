import { BOOT_PHASES, type BootPhase } from "./boot-phase.ts";
import { timerLimit } from "./internal/timer-limit.ts";

/** Limits in milliseconds, each counted from the guest's first instruction. Absent means none. */
export interface Deadlines {
  /** Until QEMU itself answers, counted from its start; `launch` rejects when it does not. Default 30 s. */
  readonly spawn?: number | undefined;
  /** Until the first byte on the console. */
  readonly firstOutput?: number | undefined;
  /** Until the kernel's first line, "Linux version …". */
  readonly kernel?: number | undefined;
  /** Until the kernel says that it runs /init. */
  readonly init?: number | undefined;
  /** Until the guest is ready, by the mark that `LaunchOptions.ready` names. */
  readonly ready?: number | undefined;
  /** Without a byte on any serial port. */
  readonly idle?: number | undefined;
  /** Until the end. */
  readonly total?: number | undefined;
}

/** A limit that a boot can pass. */
export type DeadlineName = Exclude<keyof Deadlines, "spawn">;

export interface DeadlineWatch {
  start(limits: Deadlines): void;
  /** A byte came, on whichever port. */
  output(): void;
  /** The boot has come that far: limits of this phase and of those before no longer count. */
  reached(phase: BootPhase): void;
  stop(): void;
}

/** The phase that each limit is for. */
const PHASE_LIMITS = { firstOutput: "output", kernel: "kernel", init: "init", ready: "ready" } as const;
const NAMES = ["firstOutput", "kernel", "init", "ready", "idle", "total"] as const;

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
      for (const name of NAMES) {
        const limit = limits[name];
        if (limit !== undefined) timers.set(name, setTimeout(expire, timerLimit(limit), name, limit));
      }
    },
    output: () => timers.get("idle")?.refresh(),
    reached: (phase) => {
      for (const [name, of] of Object.entries(PHASE_LIMITS) as [keyof typeof PHASE_LIMITS, BootPhase][]) {
        if (BOOT_PHASES.indexOf(of) > BOOT_PHASES.indexOf(phase)) continue;
        clearTimeout(timers.get(name));
        timers.delete(name);
      }
    },
    stop,
  };
}
