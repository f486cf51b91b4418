import { readFileSync } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { defaultStateDir } from "../internal/paths.ts";

/** An appliance that runs in the background, as its supervising process describes it. */
export interface BackgroundRun {
  readonly pid: number;
  /** Start of that process in clock ticks since boot: with it, a pid that was given again is told apart. */
  readonly ticks: string;
  readonly spec: string;
  readonly name: string;
  readonly since: string;
  readonly phase: "booting" | "running";
  readonly forwards: readonly { readonly host: number; readonly guest: number }[];
  /** Directory of the run's record and console. */
  readonly directory: string;
  /** Where the program's output goes. */
  readonly output: string;
}

export function backgroundDir(): string {
  return join(defaultStateDir(), "appliance", "background");
}

/** When a process was started, from /proc/PID/stat (proc(5), field 22); undefined when there is none. */
export function startTicks(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the command in parentheses, which may hold blanks and parentheses itself.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive(run: Pick<BackgroundRun, "pid" | "ticks">): boolean {
  return startTicks(run.pid) === run.ticks;
}

/** What runs in the background now; the notes of dead ones are removed. */
export async function listBackground(): Promise<BackgroundRun[]> {
  const directory = backgroundDir();
  const runs: BackgroundRun[] = [];
  for (const name of await readdir(directory).catch(() => [])) {
    if (!name.endsWith(".json")) continue;
    const path = join(directory, name);
    const run = await readBackground(path);
    if (run && isAlive(run)) runs.push(run);
    else if (run) await rm(path, { force: true });
  }
  return runs.toSorted((a, b) => (a.since < b.since ? -1 : 1));
}

export async function readBackground(path: string): Promise<BackgroundRun | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as BackgroundRun;
  } catch {
    return undefined;
  }
}

/**
 * Ends a background run: asks the guest to power off, and after `patience` milliseconds ends the machine.
 * QEMU dies with the process that supervises it, whichever way that ends.
 */
export async function stopBackground(run: BackgroundRun, patience = 6000): Promise<"powered off" | "ended"> {
  for (const [signal, wait] of [
    ["SIGUSR2", patience],
    ["SIGTERM", 4000],
    ["SIGKILL", 4000],
  ] as const) {
    if (!isAlive(run)) return "powered off";
    try {
      process.kill(run.pid, signal);
    } catch {
      // It ended between the look and the signal.
    }
    const until = Date.now() + wait;
    while (Date.now() < until && isAlive(run)) await sleep(50);
    if (!isAlive(run)) return signal === "SIGUSR2" ? "powered off" : "ended";
  }
  return "ended";
}
