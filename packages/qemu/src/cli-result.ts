import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Values } from "./options.ts";
import type { BootResult } from "./result.ts";
import type { Vm } from "./vm.ts";

export interface CliIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Its reason is the name of the signal that came. */
  readonly signal: AbortSignal;
}

/** Tells how the machine ended. */
export async function report(result: BootResult, values: Values, io: CliIo): Promise<void> {
  if (values.json === true) {
    io.stdout.write(`${jsonOf(result)}\n`);
    return;
  }
  if (result.kind === "poweroff") return;
  const { describeResult } = await import("./result.ts");
  const { message, hint } = describeResult(result);
  const label = resultStatus(result) === 0 ? "" : "error: ";
  io.stderr.write(`\n${label}${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`);
}

/** How long a machine that is to end by itself may take. */
const END_MS = 3000;

/** The result of a machine that was told to switch off, or whose agent is gone. */
export function endOf(vm: Vm): Promise<BootResult> {
  return Promise.race([vm.wait(), sleep(END_MS, undefined, { ref: false }).then(() => vm.kill())]);
}

/** A result as JSON, of the last screen the text alone: its picture is a file, by --screenshot. */
export function jsonOf(result: BootResult, more: object = {}): string {
  return JSON.stringify({
    ...result,
    ...(result.screen && { screen: { text: result.screen.text } }),
    ...more,
  });
}

/** Exit status for a boot's result. */
export function resultStatus(result: BootResult): number {
  if (result.kind === "exit") return result.status;
  if (result.kind === "poweroff" || result.kind === "reboot" || result.kind === "halt") return 0;
  return result.kind === "timeout" || result.kind === "no-console" ? 124 : 1;
}

/** Exit status after a signal. */
export function signalStatus(signal: AbortSignal): number {
  return { SIGTERM: 143, SIGHUP: 129 }[String(signal.reason)] ?? 130;
}
