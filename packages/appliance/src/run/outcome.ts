import type { ChannelFrame } from "@justenough/initramfs";
import { describeResult, type BootResult } from "@justenough/qemu";
import type { RunEnd } from "./record.ts";

/** What the guest has told on its channel. */
export interface GuestStory {
  readonly notes: string[];
  /** All that the report is computed from. */
  readonly frames: ChannelFrame[];
  readonly times: { init?: number; start?: number; exit?: number };
  exit?: { readonly status?: number | undefined; readonly signal?: number | undefined };
  /** What was asked for and could not be done, in words. */
  readonly failures: string[];
  /** A report has come whole. */
  reported: boolean;
  /** The last frame came: nothing was lost. */
  complete: boolean;
}

/**
 * How a run ended, judged by all that is known. Only a guest that said its last word can have succeeded:
 * a machine that merely vanished may have lost the program's output.
 */
export function judgeRun(facts: {
  readonly result: BootResult;
  readonly story: GuestStory;
  /** Whether the generated /init is in it, which tells what happens. */
  readonly generated: boolean;
  /** The program was not started in time. */
  readonly late: boolean;
}): RunEnd {
  const { result, story, generated, late } = facts;
  if (late)
    return failed(
      result,
      withCause(`The program was not started in time (${phaseWords(result)})`, result),
      true,
    );
  if (story.complete) {
    if (story.times.start === undefined) {
      return {
        kind: "not-started",
        what: story.failures.at(-1) ?? "unknown",
        status: story.exit?.status ?? 127,
      };
    }
    if (story.exit?.signal !== undefined) return { kind: "signalled", signal: story.exit.signal };
    if (story.exit?.status !== undefined) return { kind: "exited", status: story.exit.status };
  }
  const wentOff = result.kind === "poweroff" || result.kind === "reboot" || result.kind === "halt";
  if (!generated && wentOff) return { kind: "powered-off" };
  if (wentOff) {
    return failed(
      result,
      withCause(`The machine went off before the program's end was told (${phaseWords(result)})`, result),
      false,
    );
  }
  const { message, hint } = describeResult(result);
  return failed(result, message, result.kind === "timeout" || result.kind === "no-console", hint);
}

function failed(result: BootResult, message: string, timedOut: boolean, hint?: string): RunEnd {
  const tail = tellingLines(result.tail).map((line) => `  ${line}`);
  const lines = tail.length > 0 ? [message, "the last lines of the console:", ...tail] : [message];
  return { kind: "failed", message: lines.join("\n"), hint: hint ?? result.diagnoses[0]?.hint, timedOut };
}

/** A sentence of its own, with the cause that the console has shown. */
function withCause(message: string, { diagnoses: [cause] }: BootResult): string {
  return cause === undefined ? message : `${message}. ${cause.message}`;
}

/** The lines around a panic, which a dump of registers follows; else the last ones. */
function tellingLines(lines: readonly string[]): readonly string[] {
  const panic = lines.findIndex((line) => line.includes("Kernel panic - not syncing"));
  return panic === -1 ? lines.slice(-12) : lines.slice(Math.max(0, panic - 6), panic + 1);
}

function phaseWords(result: BootResult): string {
  return {
    silent: "nothing was printed",
    output: "something was printed, but no kernel started",
    kernel: "the kernel started, but not /init",
    init: "/init was started",
    ready: "the guest was ready",
  }[result.phase];
}

/** The status that the command ends with: the program's own, as a shell would give it. */
export function exitStatus(end: RunEnd): number {
  switch (end.kind) {
    case "exited":
      return end.status;
    case "signalled":
      return 128 + end.signal;
    case "not-started":
      return end.status;
    case "powered-off":
      return 0;
    default:
      return end.timedOut ? 124 : 1;
  }
}
