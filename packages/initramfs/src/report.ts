import type { ChannelFrame } from "./channel-frame.ts";

/** What a booted system says of itself, computed from the raw files that /init sent. */
export interface BootReport {
  /** The kernel's release, such as `6.12.117`. */
  readonly release: string | undefined;
  readonly machine: string | undefined;
  readonly commandLine: string | undefined;
  readonly processes: {
    /** Besides /init itself. */
    readonly user: number;
    /** Kernel threads. */
    readonly kernel: number;
    /** Of the user processes. */
    readonly names: readonly string[];
  };
  /** Names of loaded modules. */
  readonly modules: readonly string[];
  readonly memory: { readonly totalKiB: number; readonly usedKiB: number } | undefined;
  /** Of the silent window; `undefined` if there was none. */
  readonly idle:
    | {
        readonly seconds: number;
        readonly interruptsPerSecond: number;
        readonly contextSwitchesPerSecond: number;
        /** The lines of /proc/interrupts that counted, the busiest first. */
        readonly bySource: readonly { readonly source: string; readonly perSecond: number }[];
      }
    | undefined;
  /** Milliseconds since the kernel started. */
  readonly times: {
    readonly init: number | undefined;
    readonly start: number | undefined;
    readonly exit: number | undefined;
  };
}

type FileFrame = Extract<ChannelFrame, { type: "file" }>;

/**
 * Computes the report from the frames of a run; of several reports the last one counts. What was not sent is
 * `undefined` or empty, nothing is guessed.
 *
 * @example
 * ```ts
 * import { summarizeReport } from "@justenough/initramfs";
 * console.log(summarizeReport([]).processes); // { user: 0, kernel: 0, names: [] }
 * ```
 */
export function summarizeReport(frames: Iterable<ChannelFrame>): BootReport {
  const files = new Map<string, FileFrame>();
  const times: { init: number | undefined; start: number | undefined; exit: number | undefined } = {
    init: undefined,
    start: undefined,
    exit: undefined,
  };
  let release: string | undefined;
  let machine: string | undefined;
  for (const frame of frames) {
    if (frame.type === "file") files.set(frame.name, frame);
    if (frame.type === "init") ({ release, machine } = frame);
    if (frame.type === "init" || frame.type === "start" || frame.type === "exit") {
      times[frame.type] = frame.monotonicNs / 1e6;
    }
  }
  const text = (name: string): string | undefined => {
    const frame = files.get(name);
    return frame === undefined ? undefined : new TextDecoder().decode(frame.bytes);
  };
  return {
    release: release ?? text("/proc/version")?.split(" ")[2],
    machine,
    commandLine: text("/proc/cmdline")?.trim(),
    processes: countProcesses(text("processes") ?? ""),
    modules: lines(text("/proc/modules")).map((line) => line.split(" ", 1)[0] as string),
    memory: readMemory(text("/proc/meminfo")),
    idle: readIdle(files, text),
    times,
  };
}

function lines(text: string | undefined): string[] {
  return text?.split("\n").filter((line) => line !== "") ?? [];
}

function countProcesses(text: string): BootReport["processes"] {
  let kernel = 0;
  const names: string[] = [];
  for (const line of lines(text)) {
    // "pid ppid kthread state comm"; a zombie has ended and uses nothing.
    const match = /^(\d+) \d+ ([01]) (\S) (.*)$/.exec(line);
    if (match === null || match[3] === "Z") continue;
    if (match[2] === "1") kernel++;
    else if (match[1] !== "1") names.push(match[4] as string);
  }
  return { user: names.length, kernel, names };
}

function readMemory(text: string | undefined): BootReport["memory"] {
  const field = (name: string): number | undefined => {
    const match = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text ?? "");
    return match === null ? undefined : Number(match[1]);
  };
  const total = field("MemTotal");
  const available = field("MemAvailable");
  if (total === undefined || available === undefined) return undefined;
  return { totalKiB: total, usedKiB: total - available };
}

function readIdle(
  files: ReadonlyMap<string, FileFrame>,
  text: (name: string) => string | undefined,
): BootReport["idle"] {
  const start = files.get("stat.0");
  const end = files.get("stat.1");
  if (start === undefined || end === undefined || end.monotonicNs <= start.monotonicNs) return undefined;
  const seconds = (end.monotonicNs - start.monotonicNs) / 1e9;
  // "intr TOTAL …" and "ctxt TOTAL" of /proc/stat, see proc_stat(5).
  const rate = (name: string): number => {
    const value = (file: string): number =>
      Number(new RegExp(`^${name} (\\d+)`, "m").exec(text(file) ?? "")?.[1] ?? Number.NaN);
    return (value("stat.1") - value("stat.0")) / seconds;
  };
  const first = readInterrupts(text("interrupts.0"));
  const bySource = [...readInterrupts(text("interrupts.1"))]
    .map(([source, count]) => ({ source, perSecond: (count - (first.get(source) ?? 0)) / seconds }))
    .filter(({ perSecond }) => perSecond > 0)
    .sort((a, b) => b.perSecond - a.perSecond || (a.source < b.source ? -1 : 1));
  return { seconds, interruptsPerSecond: rate("intr"), contextSwitchesPerSecond: rate("ctxt"), bySource };
}

/** Sums the columns of each line of /proc/interrupts: `LOC:  12  34  Local timer interrupts`. */
function readInterrupts(text: string | undefined): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines(text)) {
    const match = /^\s*(\S+):((?:\s+\d+)+)(.*)$/.exec(line);
    if (match === null) continue;
    const sum = (match[2] as string)
      .trim()
      .split(/\s+/)
      .reduce((total, count) => total + Number(count), 0);
    const source = `${match[1]} ${(match[3] as string).trim().replace(/\s+/g, " ")}`.trim();
    counts.set(source, sum);
  }
  return counts;
}
