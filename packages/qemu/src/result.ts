import type { AccelVerdict } from "./accel.ts";
import { boardOf } from "./board.ts";
import type { BootPhase } from "./boot-phase.ts";
import type { CpuState } from "./cpu-state.ts";
import type { DeadlineName } from "./deadlines.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { Arch } from "./machine.ts";

/** A screen at the end of a boot. */
export interface LastScreen {
  /** A PNG file. */
  readonly png: Uint8Array;
  readonly text?: string;
}

/** What is known about every run, however it ended. */
export interface BootFacts {
  /** Milliseconds since QEMU was started. */
  readonly times: {
    /** The guest's first instruction. */
    readonly running: number;
    /** The console's first byte. */
    readonly firstByte?: number;
    /** QEMU has ended. */
    readonly end: number;
  };
  readonly phase: BootPhase;
  /** The last lines of the console, at most 50. */
  readonly tail: readonly string[];
  /** Why it failed, the most telling first; also what else a console showed of trouble. */
  readonly diagnoses: readonly Diagnosis[];
  /** The processors just before the end, where a deadline, a panic or a halt was the end. */
  readonly cpus: readonly CpuState[];
  readonly arch: Arch;
  readonly accel: "kvm" | "tcg";
  /** Whether KVM is usable and why; absent where `tcg` was asked for. */
  readonly kvm?: AccelVerdict;
  readonly qemuVersion: string;
  /** What the screen showed then, of a machine with one: the picture, and its text where that can be read. */
  readonly screen?: LastScreen;
  /** The key of the snapshot that the machine is a copy of: its times are no boot's. */
  readonly clone?: string;
  /** What went wrong beside the boot, such as a console log that could not be written. */
  readonly warnings: readonly string[];
  /** A line that runs the same machine by hand. */
  readonly command: string;
}

export type BootEnd =
  /** The guest switched itself off. */
  | { readonly kind: "poweroff" }
  /** The guest asked for a reset. */
  | { readonly kind: "reboot" }
  /** The guest ended the machine with a status of its own, through the device that `debugExit` is. */
  | { readonly kind: "exit"; readonly status: number }
  /** The guest stopped its processors without switching itself off. */
  | { readonly kind: "halt" }
  /** The kernel gave up; `message` is what it said after "not syncing". */
  | { readonly kind: "panic"; readonly source: "pvpanic" | "console"; readonly message?: string }
  /** Nothing was printed until a deadline. */
  | { readonly kind: "no-console"; readonly deadline: DeadlineName; readonly limit: number }
  | { readonly kind: "timeout"; readonly deadline: DeadlineName; readonly limit: number }
  /** Ended from outside: by `vm.kill()`, an aborted signal, or somebody's signal to QEMU. */
  | { readonly kind: "killed"; readonly by: "caller" | "abort" | "signal" }
  /** QEMU ended for no reason of the guest. */
  | {
      readonly kind: "qemu-error";
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly stderr: string;
    };

/** How a boot ended. */
export type BootResult = BootEnd & BootFacts;

/**
 * One sentence for people, and what they can do.
 *
 * @example
 * ```ts no-run
 * import { describeResult, launch } from "@justenough/qemu";
 * const vm = await launch({ kernel: "bzImage", cmdline: "console=ttyS0" }, { deadlines: { total: 60_000 } });
 * console.log(describeResult(await vm.wait()).message);
 * ```
 */
export function describeResult(result: BootResult): { readonly message: string; readonly hint?: string } {
  const { message, hint } = describeEnd(result);
  const [cause] = isFailure(result) ? result.diagnoses : [];
  if (cause === undefined) return { message, ...(hint === undefined ? {} : { hint }) };
  return {
    message: `${message}${/[.!?]$/.test(message) ? "" : "."} ${cause.message}`,
    hint: hint ?? cause.hint,
  };
}

function isFailure({ kind }: BootResult): boolean {
  return kind === "panic" || kind === "no-console" || kind === "timeout";
}

function describeEnd(result: BootResult): { readonly message: string; readonly hint?: string } {
  switch (result.kind) {
    case "poweroff":
      return { message: `The guest powered off after ${seconds(result.times.end)}` };
    case "reboot":
      return { message: `The guest asked for a reboot after ${seconds(result.times.end)}` };
    case "exit":
      return {
        message: `The guest ended with status ${result.status} after ${seconds(result.times.end)}`,
      };
    case "halt":
      return {
        message: `The guest halted, without switching itself off, after ${seconds(result.times.end)}`,
      };
    case "panic":
      return { message: `The kernel panicked${result.message === undefined ? "" : `: ${result.message}`}` };
    case "no-console":
      return {
        message: `The guest printed nothing within ${seconds(result.limit)}`,
        hint: consoleHint(result.arch),
      };
    case "timeout":
      return { message: timeoutMessage(result) };
    case "killed":
      return {
        message: `The machine was ended by ${{ caller: "its owner", abort: "an abort", signal: "a signal" }[result.by]}`,
      };
    case "qemu-error":
      return { message: qemuErrorMessage(result), hint: `Run it by hand: ${result.command}` };
    default:
      return result satisfies never;
  }
}

function consoleHint(arch: Arch): string {
  const { serial, consoleSymbol } = boardOf(arch);
  return `The kernel needs ${consoleSymbol}=y, CONFIG_PRINTK=y and, on its command line, console=${serial.console}`;
}

function qemuErrorMessage(result: Extract<BootResult, { kind: "qemu-error" }>): string {
  const how = result.signal === null ? `with exit code ${result.exitCode}` : `by ${result.signal}`;
  return `QEMU ended ${how}${result.stderr === "" ? "" : `: ${result.stderr}`}`;
}

function timeoutMessage({ deadline, limit, phase }: Extract<BootResult, { kind: "timeout" }>): string {
  const reached = {
    silent: "nothing printed",
    output: "something printed",
    kernel: "the kernel started, no /init yet",
    init: "/init started",
    ready: "it was ready",
  }[phase];
  const what = {
    firstOutput: "printed nothing within",
    kernel: "did not start a kernel within",
    init: "did not start /init within",
    ready: "was not ready within",
    idle: "was silent for",
    total: "did not end within",
  }[deadline];
  return `The guest ${what} ${seconds(limit)} (${reached})`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 0)} s`;
}
