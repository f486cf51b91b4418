/** Makes a case that differs smaller: runs, steps, files and lines are taken away as long as it still differs. */
import { TOP } from "./case.ts";
import type { FuzzCase, Step } from "./case.ts";
import type { Runner } from "./run-case.ts";

export function shrink(runner: Runner, given: FuzzCase): FuzzCase {
  let best = given;
  const attempt = (next: FuzzCase): boolean => {
    if (!runner.differs(next)) return false;
    best = next;
    return true;
  };
  for (const run of given.runs) if (attempt({ ...given, runs: [run] })) break;
  for (let smaller = true; smaller;) {
    const before = sizeOf(best);
    shrinkSteps(() => best, attempt);
    for (const name of Object.keys(best.files)) {
      if (name !== TOP) attempt({ ...best, files: without(best.files, name) });
    }
    for (const name of Object.keys(best.files)) {
      shrinkLines(best.files[name] ?? [], (lines) =>
        attempt({ ...best, files: { ...best.files, [name]: lines } }),
      );
    }
    smaller = sizeOf(best) < before;
  }
  return best;
}

function shrinkSteps(get: () => FuzzCase, attempt: (next: FuzzCase) => boolean): void {
  const set = (steps: readonly Step[]): boolean => attempt({ ...get(), runs: [steps] });
  const steps = (): readonly Step[] => get().runs[0] ?? [];
  for (let index = steps().length - 1; index >= 0; index--) {
    if (steps().length > 1) set(steps().filter((_, other) => other !== index));
  }
  for (let index = 0; index < steps().length; index++) {
    const change = (step: Partial<Step>): boolean =>
      set(steps().map((old, other) => (other === index ? { ...old, ...step } : old)));
    for (const name of Object.keys(steps()[index]?.env ?? {})) {
      // Without it the time decides.
      if (name !== "KCONFIG_SEED") change({ env: without(steps()[index]?.env ?? {}, name) });
    }
    shrinkLines(steps()[index]?.input ?? [], (input) => change({ input }));
  }
}

/** Takes out runs of lines, long ones first; then single words of the lines that stay. */
function shrinkLines(given: readonly string[], attempt: (lines: readonly string[]) => boolean): void {
  let lines = given;
  for (let size = Math.max(1, lines.length >> 1); ; size >>= 1) {
    for (let from = 0; from < lines.length;) {
      const next = [...lines.slice(0, from), ...lines.slice(from + size)];
      if (attempt(next)) lines = next;
      else from += size;
    }
    if (size <= 1) break;
  }
  for (let index = 0; index < lines.length; index++) {
    for (;;) {
      const words = (lines[index] ?? "").split(" ");
      const next = words
        .map((_, at) => words.filter((_, other) => other !== at).join(" "))
        .find((line) => words.length > 1 && attempt(lines.with(index, line)));
      if (next === undefined) break;
      lines = lines.with(index, next);
    }
  }
}

function without<T>(record: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => key !== name));
}

function sizeOf(one: FuzzCase): number {
  return JSON.stringify(one).length;
}
