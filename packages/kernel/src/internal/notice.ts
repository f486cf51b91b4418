import type { KernelContext, KernelProgress } from "../context.ts";

/** Whether an event is a {@link notice}, to be shown whole and for good. */
export function isNotice(event: KernelProgress): boolean {
  return event.phase === "index" && event.unit === "steps" && event.done === event.total;
}

/** Tells something that is no step of the work, among its progress. */
export function notice(message: string, context: KernelContext): void {
  // done = total, so that no printer leaves it out.
  context.onProgress?.({ phase: "index", done: 1, total: 1, unit: "steps", message });
}

/** What {@link withLock} calls when it waits: tells which process does the same work now. */
export function waitsFor(what: string, context: KernelContext): (pid: number) => void {
  return (pid) =>
    context.onProgress?.({
      phase: "wait",
      done: 0,
      unit: "steps",
      message: `Process ${pid} is fetching ${what}`,
    });
}
