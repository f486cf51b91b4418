/** A line of the kernel's log, as a console shows it. */
export interface KernelLine {
  /** Since the kernel's start, where it prints that (CONFIG_PRINTK_TIME). */
  readonly seconds?: number | undefined;
  /** 0 (emergency) to 7 (debug), where the line has it, as in /dev/kmsg or `dmesg -r`. */
  readonly level?: number | undefined;
  /** `T1` is thread 1, `C0` processor 0 (CONFIG_PRINTK_CALLER). */
  readonly caller?: string | undefined;
  readonly text: string;
}

/** What took how long, told by the time stamps of a boot's log. */
export interface BootProfile {
  /** What every boot goes through, as far as the log has it, in seconds since the kernel's start. */
  readonly marks: readonly { readonly name: BootMark; readonly seconds: number }[];
  /** The longest silences, longest first. */
  readonly gaps: readonly BootGap[];
  /** With `initcall_debug ignore_loglevel` on the command line: the slowest, slowest first. */
  readonly initcalls: readonly Initcall[];
}

export type BootMark = "kernel" | "initramfs" | "init" | "end";

export interface BootGap {
  readonly seconds: number;
  /** When it began. */
  readonly at: number;
  readonly before: string;
  readonly after: string;
}

export interface Initcall {
  readonly name: string;
  /** When it began. */
  readonly at: number;
  readonly result: number;
  readonly microseconds: number;
}

// print_prefix() of kernel/printk/printk.c: level, time, caller.
const PREFIX = /^(?:<(\d{1,4})>)?(?:\[ *(\d+\.\d+)\](?:\[ *([TC]\d+)\])? ?)?/;

/**
 * Takes the prefix of a line apart.
 *
 * @example
 * ```ts
 * import { parseKernelLine } from "@justenough/qemu";
 * console.log(parseKernelLine("[    0.512345] Run /init as init process").seconds); // 0.512345
 * ```
 */
export function parseKernelLine(line: string): KernelLine {
  const [prefix = "", level, seconds, caller] = PREFIX.exec(line) ?? [];
  return {
    text: line.slice(prefix.length),
    ...(level === undefined ? {} : { level: Number(level) & 7 }),
    ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
    ...(caller === undefined ? {} : { caller }),
  };
}

const MARKS: readonly (readonly [BootMark, RegExp])[] = [
  ["kernel", /^Linux version /],
  ["initramfs", /^Freeing initrd memory/],
  ["init", /^Run \S+ as init process/],
  ["end", /^reboot: (Power down|Restarting system|System halted)/],
];

const INITCALL =
  /^initcall (\S+?)(?:\+0x[\da-f]+\/0x[\da-f]+(?: \[(\S+)\])?)? returned (-?\d+) after (\d+) usecs/;

/**
 * Where a boot spent its time. Lines without a time are passed over; `count` limits gaps and initcalls.
 *
 * @example
 * ```ts
 * import { bootProfile } from "@justenough/qemu";
 * const log = "[    0.000000] Linux version 6.12.9\n[    0.400000] smp: Brought up 1 node, 1 CPU\n[    0.500000] Run /init as init process";
 * console.log(bootProfile(log.split("\n")).gaps[0]?.before); // Linux version 6.12.9
 * ```
 */
export function bootProfile(lines: Iterable<string>, count = 10): BootProfile {
  const marks = new Map<BootMark, number>();
  const gaps: BootGap[] = [];
  const initcalls: Initcall[] = [];
  let last: { readonly seconds: number; readonly text: string } | undefined;
  for (const line of lines) {
    const { seconds, text } = parseKernelLine(line.trimEnd());
    if (seconds === undefined) continue;
    const mark = MARKS.find(([, pattern]) => pattern.test(text))?.[0];
    if (mark !== undefined && !marks.has(mark)) marks.set(mark, seconds);
    const [, name = "", module, result, microseconds] = INITCALL.exec(text) ?? [];
    if (microseconds !== undefined) {
      const whole = module === undefined ? name : `${name} [${module}]`;
      const took = Number(microseconds);
      const at = Math.max(0, seconds - took / 1e6);
      initcalls.push({ name: whole, at, result: Number(result), microseconds: took });
    }
    // Lines of several processors may come out of order.
    if (last !== undefined && seconds > last.seconds) {
      gaps.push({ seconds: seconds - last.seconds, at: last.seconds, before: last.text, after: text });
    }
    if (last === undefined || seconds >= last.seconds) last = { seconds, text };
  }
  return {
    marks: [...marks].map(([name, seconds]) => ({ name, seconds })),
    gaps: gaps.sort((a, b) => b.seconds - a.seconds).slice(0, count),
    initcalls: initcalls.sort((a, b) => b.microseconds - a.microseconds).slice(0, count),
  };
}
