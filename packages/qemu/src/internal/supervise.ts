import { createWriteStream, type WriteStream } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { boardOf } from "../board.ts";
import { createBootWatch, type BootWatch } from "../boot-watch.ts";
import { readCpus, type CpuState } from "../cpu-state.ts";
import { watchDeadlines } from "../deadlines.ts";
import { diagnose } from "../doctor.ts";
import type { Machine } from "../machine.ts";
import type { QmpClient, QmpEvent } from "../qmp.ts";
import { findSymptoms } from "../diagnosis.ts";
import type { BootEnd, BootFacts, BootResult } from "../result.ts";
import type { LastLook, ScreenControl } from "../screen.ts";
import type { LaunchOptions } from "../vm.ts";
import { deferred } from "./deferred.ts";
import type { GuardedChild } from "./guard.ts";
import type { OutputLog } from "./output-log.ts";

export interface SuperviseRequest {
  readonly child: GuardedChild;
  readonly qmp: QmpClient;
  /** The console's first. */
  readonly logs: readonly OutputLog[];
  readonly screen: ScreenControl;
  readonly options: LaunchOptions;
  readonly machine: Machine;
  readonly facts: Omit<BootFacts, "times" | "phase" | "tail" | "warnings" | "diagnoses" | "cpus" | "screen">;
  stderr(): string;
  tail(): string[];
  now: () => number;
  cleanUp(): Promise<void>;
}

export interface Supervisor {
  /** Lets the guest run. */
  run(): Promise<void>;
  kill(by: "caller" | "abort"): Promise<BootResult>;
  /** The guest has done something that is in no log. */
  activity(): void;
  readonly result: Promise<BootResult>;
}

/** How long the rest of a panic's text may take after its first line. */
const PANIC_GRACE_MS = 100;
/** A kernel that halts has nothing to say after its line; what is behind it in the serial port's buffer comes by then. */
const HALT_GRACE_MS = 20;
/** How often, and how far apart, the processors of a machine that is out of time are looked at. */
const [LOOKS, LOOK_EVERY_MS] = [8, 10];
/** How long QEMU may take for each step of its end. */
const STEP_MS = 2000;

/** Watches a machine until something ends it, decides what that was, and clears everything away. */
export function supervise(request: SuperviseRequest): Supervisor {
  const { child, qmp, logs, screen, options, now, machine } = request;
  const result = deferred<BootResult>();
  const watch = createBootWatch(options.ready);
  const warnings: string[] = [];
  const file = openLogFile(options.consoleLog, warnings);
  let firstByte: number | undefined;
  let running = 0;
  let ending = false;
  let graceTimer: NodeJS.Timeout | undefined;

  const deadlines = watchDeadlines((deadline, limit) => {
    finish({ kind: firstByte === undefined ? "no-console" : "timeout", deadline, limit });
  });
  const onAbort = (): void => finish({ kind: "killed", by: "abort" });

  function finish(cause: BootEnd): void {
    if (ending) return;
    ending = true;
    result.resolve(shutDown(cause));
  }

  function soon(cause: BootEnd, grace: number): void {
    graceTimer ??= setTimeout(() => finish(cause), grace);
  }

  async function shutDown(cause: BootEnd): Promise<BootResult> {
    deadlines.stop();
    clearTimeout(graceTimer);
    options.signal?.removeEventListener("abort", onAbort);
    // The guest stands still by now, or may be looked at until it is told to go: its last picture is still there.
    const looks: CpuState[][] = [];
    await within(lookAtCpus(cause, looks).catch(() => undefined));
    let last: LastLook | undefined;
    const lookAtScreen = async (): Promise<void> => {
      last = await screen.last();
    };
    if (isExamined(cause)) await within(lookAtScreen().catch(() => undefined));
    await within(screen.finish());
    await endChild(child, qmp);
    const end = now();
    for (const log of logs) log.end();
    await closeLogFile(file);
    await request.cleanUp();
    const final = finalCause(cause, watch);
    const { phase, unpacking } = watch;
    // What the screen alone shows of a guest whose console is not the serial port.
    const onConsole = watch.symptoms();
    const symptoms = onConsole.length > 0 ? onConsole : findSymptoms(last?.lines ?? []);
    return {
      ...final,
      ...request.facts,
      diagnoses: diagnose({ end: final, phase, machine, symptoms, unpacking, cpus: looks }),
      cpus: looks.at(-1) ?? [],
      ...(last === undefined ? {} : { screen: last.shown }),
      times: { running, ...(firstByte === undefined ? {} : { firstByte }), end },
      phase,
      tail: request.tail(),
      warnings,
    };
  }

  async function lookAtCpus(cause: BootEnd, looks: CpuState[][]): Promise<void> {
    if (!isExamined(cause)) return;
    const moving = cause.kind === "timeout" || cause.kind === "no-console";
    for (let look = 0; look < (moving ? LOOKS : 1); look += 1) {
      if (look > 0) await sleep(LOOK_EVERY_MS);
      looks.push(await readCpus(qmp, machine.arch));
    }
  }

  logs.forEach((log, index) => {
    log.listen((chunk) => {
      if (chunk === undefined) return;
      deadlines.output();
      if (index !== 0) return;
      firstByte ??= chunk.at;
      file?.write(chunk.bytes);
      watch.push(chunk.bytes);
      deadlines.reached(watch.phase);
      if (ending) return;
      if (watch.panic?.complete === true) finish({ kind: "panic", source: "console" });
      else if (watch.panic !== undefined) soon({ kind: "panic", source: "console" }, PANIC_GRACE_MS);
      else if (watch.halted) soon({ kind: "halt" }, HALT_GRACE_MS);
    });
  });

  const watchEvents = async (): Promise<void> => {
    for await (const event of qmp.events()) {
      const cause = causeOf(event);
      if (cause !== undefined) finish(cause);
    }
  };
  const watchChild = async (): Promise<void> => {
    const { code, signal } = await child.closed;
    if (boardOf(machine.arch).exitsAtPowerOff && code === 0) finish({ kind: "poweroff" });
    const status = machine.debugExit ? debugExitStatus(code, request.stderr()) : undefined;
    if (status !== undefined) finish({ kind: "exit", status });
    finish({ kind: "qemu-error", exitCode: code, signal, stderr: request.stderr() });
  };
  void watchEvents();
  void watchChild();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  if (options.signal?.aborted === true) onAbort();

  return {
    run: async () => {
      running = now();
      deadlines.start(options.deadlines ?? {});
      if (request.machine.gdb === undefined) await qmp.execute("cont");
    },
    kill: (by) => {
      finish({ kind: "killed", by });
      return result.promise;
    },
    activity: () => deadlines.output(),
    result: result.promise,
  };
}

/** QEMU's hw/misc/debugexit.c: exit((value << 1) | 1). With 1 it also ends of its own, after a word that is no mere warning. */
function debugExitStatus(code: number | null, stderr: string): number | undefined {
  if (code === null || code % 2 === 0) return undefined;
  const failed = stderr.split("\n").some((line) => line !== "" && !line.includes(": warning: "));
  return code === 1 && failed ? undefined : (code - 1) / 2;
}

function isExamined({ kind }: BootEnd): boolean {
  return kind === "timeout" || kind === "no-console" || kind === "panic" || kind === "halt";
}

/** What an event says about the end; QEMU's qapi/run-state.json lists the reasons. */
function causeOf({ event, data }: QmpEvent): BootEnd | undefined {
  if (event === "GUEST_PANICKED") return { kind: "panic", source: "pvpanic" };
  if (event !== "SHUTDOWN") return undefined;
  switch (data["reason"]) {
    case "guest-shutdown":
      return { kind: "poweroff" };
    case "guest-reset":
      return { kind: "reboot" };
    case "guest-panic":
      return { kind: "panic", source: "pvpanic" };
    case "host-signal":
      return { kind: "killed", by: "signal" };
    case "host-qmp-quit":
      return { kind: "killed", by: "caller" };
    default:
      return undefined;
  }
}

/** All output has been read by now: a reset after a panic's text was the panic's, and the text belongs to it. */
function finalCause(cause: BootEnd, { panic }: BootWatch): BootEnd {
  if (panic === undefined) return cause;
  const message = panic.message === undefined ? {} : { message: panic.message };
  if (cause.kind === "panic") return { ...cause, ...message };
  if (cause.kind === "reboot" || cause.kind === "timeout" || cause.kind === "halt")
    return { kind: "panic", source: "console", ...message };
  return cause;
}

/** Asks, then insists, then forces; returns when the process has ended and all its output has been read. */
async function endChild(child: GuardedChild, qmp: QmpClient): Promise<void> {
  qmp.execute("quit").catch(() => undefined);
  if (await within(child.closed)) return;
  child.terminate();
  if (await within(child.closed)) return;
  child.kill();
  await child.closed;
}

async function within(promise: Promise<unknown>): Promise<boolean> {
  const { promise: expired, resolve } = deferred<false>();
  const timer = setTimeout(() => resolve(false), STEP_MS);
  try {
    return await Promise.race([promise.then(() => true), expired]);
  } finally {
    clearTimeout(timer);
  }
}

function openLogFile(path: string | undefined, warnings: string[]): WriteStream | undefined {
  if (path === undefined) return undefined;
  const file = createWriteStream(path);
  file.on("error", (error) => warnings.push(`The console log "${path}" is incomplete: ${error.message}`));
  return file;
}

async function closeLogFile(file: WriteStream | undefined): Promise<void> {
  if (file === undefined || file.destroyed) return;
  await new Promise<void>((resolve) => {
    file.once("close", resolve);
    file.end();
  });
}
