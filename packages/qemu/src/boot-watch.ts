import { createLineDecoder } from "./internal/line-decoder.ts";
import { plainText } from "./plain-text.ts";
import type { BootPhase } from "./result.ts";

/** Reads the console along with the boot: how far it is, and whether the kernel has given up. */
export interface BootWatch {
  push(bytes: Uint8Array): void;
  readonly phase: BootPhase;
  readonly panic: { readonly message?: string; readonly complete: boolean } | undefined;
}

const MAX_LINE = 64 * 1024;
/** linux kernel/panic.c; at the start of a line, or after printk's time stamp, so that a program's text seldom matches. */
const PANIC = /(?:^|\] )Kernel panic - not syncing(?:: )?(.*)/;
const PANIC_END = "---[ end Kernel panic";

export function createBootWatch(): BootWatch {
  const decoder = createLineDecoder(MAX_LINE);
  let phase: BootPhase = "silent";
  let panic: { message?: string; complete: boolean } | undefined;
  const line = (text: string): void => {
    if (phase === "output" && text.includes("Linux version ")) phase = "kernel";
    if (phase === "kernel" && /Run \S+ as init process/.test(text)) phase = "init";
    if (panic !== undefined) {
      panic.complete ||= text.includes(PANIC_END);
      return;
    }
    const match = PANIC.exec(text);
    if (match === null) return;
    const message = match[1]?.trim() ?? "";
    panic = { ...(message === "" ? {} : { message }), complete: false };
  };
  return {
    push(bytes) {
      if (phase === "silent" && bytes.length > 0) phase = "output";
      for (const text of decoder.push(bytes) ?? [decoder.rest()]) line(plainText(text));
    },
    get phase() {
      return phase;
    },
    get panic() {
      return panic;
    },
  };
}
