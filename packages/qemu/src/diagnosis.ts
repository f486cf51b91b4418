import { constants } from "node:os";
import { BOOT_SYMPTOMS } from "./symptoms.ts";

/** A cause of a failed boot. */
export interface Diagnosis {
  /** Stable, for programs: a symptom's, or one of those that come from the machine's state. */
  readonly id: string;
  /** One sentence. */
  readonly message: string;
  readonly hint: string;
  /** The line of the console that tells. */
  readonly line?: string;
}

/** Reads a console along and remembers the first line of each symptom. */
export interface SymptomWatch {
  line(text: string): void;
  /** The most telling first. */
  found(): Diagnosis[];
}

/** The kernel's own lines are no longer, linux kernel/printk/printk.c, PRINTK_MESSAGE_MAX; programs print what they like. */
const MAX_LINE = 2048;

export function watchSymptoms(): SymptomWatch {
  const found = new Map<string, Diagnosis>();
  return {
    line(whole) {
      const text = whole.slice(0, MAX_LINE);
      for (const { id, pattern, message, hint } of BOOT_SYMPTOMS) {
        if (found.has(id)) continue;
        const match = pattern.exec(text);
        if (match === null) continue;
        found.set(id, { id, message: fill(message, match), hint, line: text.trim() });
        return;
      }
    },
    found: () => BOOT_SYMPTOMS.flatMap(({ id }) => found.get(id) ?? []),
  };
}

/**
 * What a console's text tells about why a boot failed; the most telling first, empty when it tells nothing that is known.
 *
 * @example
 * ```ts
 * import { findSymptoms } from "@justenough/qemu";
 * const log = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000300";
 * console.log(findSymptoms(log.split("\n"))[0]?.message); // /init ended with status 3: …
 * ```
 */
export function findSymptoms(lines: Iterable<string>): Diagnosis[] {
  const watch = watchSymptoms();
  for (const line of lines) watch.line(line);
  return watch.found();
}

function fill(template: string, match: RegExpExecArray): string {
  return template.replace(/\{(\d)(?:\|(hex|signal))?\}/g, (_, group: string, as: string | undefined) => {
    const text = match[Number(group)] ?? "";
    if (as === undefined) return text;
    const value = Number.parseInt(text, 16) & (as === "signal" ? 0x7f : 0xff);
    return as === "hex" ? String(value) : signalName(value);
  });
}

function signalName(number: number): string {
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ?? `signal ${number}`;
}
