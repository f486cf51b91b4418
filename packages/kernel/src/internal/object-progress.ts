import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { KernelContext } from "../context.ts";

/**
 * An object that make reports as made: a line such as `  CC      init/main.o` or `  AS [M]  lib/x.o`. Those of the
 * build's own tools have absolute paths; they are not part of the kernel.
 */
export function objectOfLine(line: string): string | undefined {
  return /^ {2}(?:CC|AS)(?: \[M\])? +([^/\s]\S*\.o)$/.exec(line)?.[1];
}

/** Tells how many of the planned objects are made. */
export interface ObjectProgress {
  /** With a build directory, what an interrupted build left there counts as made. */
  readonly start: (objects: string | undefined) => Promise<void>;
  readonly made: (object: string) => void;
  readonly end: () => void;
  /** How many were compiled since the start. */
  readonly compiled: () => number;
}

// Enough objects for a pace: the first are the smallest.
const PACE = 20;

export function objectProgress(planned: ReadonlySet<string>, context: KernelContext): ObjectProgress {
  const done = new Set<string>();
  let unplanned = 0;
  let before = 0;
  let began = performance.now();
  const tell = (count: number, message?: string): void => {
    // An object that the plan does not know raises the total, so that the bar never passes its end.
    const total = planned.size === 0 ? undefined : planned.size + unplanned;
    const fresh = count - before;
    const pace = (performance.now() - began) / fresh;
    const left = total === undefined || fresh < PACE ? undefined : Math.round(pace * (total - count));
    context.onProgress?.({ phase: "compile", done: count, total, unit: "objects", message, left });
  };
  return {
    // After a change of the configuration nobody but make knows which objects are to be compiled again, so the count
    // starts at nothing and jumps to the end over those that are not.
    start: async (objects) => {
      for (const object of objects === undefined ? [] : planned) {
        if ((await stat(join(objects ?? "", object)).catch(() => undefined)) !== undefined) done.add(object);
      }
      before = done.size;
      began = performance.now();
      tell(done.size);
    },
    made: (object) => {
      if (!done.has(object) && !planned.has(object)) unplanned++;
      done.add(object);
      tell(done.size, object);
    },
    end: () => tell(planned.size + unplanned),
    compiled: () => done.size - before,
  };
}
