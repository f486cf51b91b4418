import { createLineDecoder } from "./internal/line-decoder.ts";
import type { BootPhase } from "./boot-phase.ts";
import { watchSymptoms, type Diagnosis } from "./diagnosis.ts";
import { plainText } from "./plain-text.ts";

/** Reads the console along with the boot: how far it is, and whether the kernel has given up. */
export interface BootWatch {
  push(bytes: Uint8Array): void;
  readonly phase: BootPhase;
  /** It has said that it unpacks an initramfs. */
  readonly unpacking: boolean;
  /** The kernel has said that it halts the processors. */
  readonly halted: boolean;
  /** Causes that the console has shown. */
  symptoms(): Diagnosis[];
  readonly panic: { readonly message?: string; readonly complete: boolean } | undefined;
}

const MAX_LINE = 64 * 1024;
/** linux kernel/panic.c; at the start of a line, or after printk's time stamp, so that a program's text seldom matches. */
const PANIC = /(?:^|\] )Kernel panic - not syncing(?:: )?(.*)/;
/** linux kernel/reboot.c, kernel_halt(). */
const HALTED = /(?:^|\] )reboot: System halted$/;
/** linux init/initramfs.c, do_populate_rootfs() and, in older kernels, populate_rootfs(). */
const UNPACKING = /(?:Trying to unpack rootfs image as initramfs|Unpacking initramfs)\.\.\./;
const PANIC_END = "---[ end Kernel panic";

/** @param ready - What the guest prints when it is ready. */
export function createBootWatch(ready?: RegExp): BootWatch {
  const decoder = createLineDecoder(MAX_LINE);
  let phase: BootPhase = "silent";
  let panic: { message?: string; complete: boolean } | undefined;
  let [halted, unpacking] = [false, false];
  const symptoms = watchSymptoms();
  const lookForReady = (text: string): void => {
    if (ready !== undefined && phase !== "ready" && text.search(ready) !== -1) phase = "ready";
  };
  const line = (text: string): void => {
    symptoms.line(text);
    halted ||= HALTED.test(text.trimEnd());
    unpacking ||= UNPACKING.test(text);
    lookForReady(text);
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
      // A prompt is no whole line.
      if (ready !== undefined && phase !== "ready") lookForReady(plainText(decoder.peek()));
    },
    symptoms: symptoms.found,
    get halted() {
      return halted;
    },
    get unpacking() {
      return unpacking;
    },
    get phase() {
      return phase;
    },
    get panic() {
      return panic;
    },
  };
}
