import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { BootReport } from "@justenough/initramfs";
import type { Bundle } from "../bundle/bundle.ts";
import { bootBundle, type Patience, type Running } from "../run/boot.ts";
import type { RunRecord } from "../run/record.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { runTest } from "./run-test.ts";

/** Where and how kernels are tried. */
export interface TrialContext {
  readonly loaded: LoadedSpec;
  /** All but the kernel. */
  readonly bundle: Bundle;
  /** For the console's log. */
  readonly scratch: string;
  readonly cacheDir: string;
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a kernel has to do to pass, learned from the one that all starts from. */
export interface Expectation {
  /** The program's output; undefined when it was not the same twice. */
  readonly output: string | undefined;
  /** What the report of the idle system says something of. */
  readonly told: readonly string[];
  /** What the guest went without even then. */
  readonly notes: readonly string[];
  readonly patience: Patience;
  /** Milliseconds for all. */
  readonly timeout: number;
}

/** One boot. */
export interface Trial {
  readonly record: RunRecord;
  readonly output: string;
  /** What the spec's test said in the end; undefined without one, and when it succeeded. */
  readonly refused: string | undefined;
  /** It did not go off when it was told to, after the test had failed. */
  readonly killed?: boolean | undefined;
}

// Long enough to see that the report can be made; what it counts is of no interest here.
const IDLE_MS = 200;
const TEST_MS = 60_000;

/** Boots a kernel with the appliance's initramfs, and asks the spec's test if there is one. */
export async function tryKernel(
  image: string,
  context: TrialContext,
  expected: Pick<Expectation, "patience" | "timeout"> | undefined,
): Promise<Trial> {
  const { loaded, bundle, scratch, cacheDir, accel, signal } = context;
  const { spec } = loaded;
  const output: Uint8Array[] = [];
  let started: () => void = () => undefined;
  const start = new Promise<void>((done) => (started = done));
  const running = await bootBundle({
    bundle: { ...bundle, kernel: image },
    // Any free port: another appliance may be running.
    spec: { ...spec, forward: spec.forward.map((one) => ({ ...one, host: 0 })) },
    specFile: loaded.source.file,
    report: spec.report === 0 ? 0 : Math.min(spec.report, IDLE_MS),
    stdin: "null",
    accel,
    timeout: expected?.timeout ?? 300_000,
    patience: expected?.patience,
    cacheDir,
    scratch,
    signal,
    onOutput: (bytes) => void output.push(bytes),
    onFrame: (frame) => {
      if (frame.type === "start") started();
    },
  });
  const asked = spec.test === null ? undefined : await askTest(spec.test, running, start, context);
  const record = await running.finished;
  signal?.throwIfAborted();
  return { record, output: Buffer.concat(output).toString("latin1"), refused: undefined, ...asked };
}

// A server needs a while until it answers, and does not end by itself.
async function askTest(
  command: string,
  running: Running,
  start: Promise<void>,
  { loaded, signal }: TrialContext,
): Promise<Pick<Trial, "refused" | "killed">> {
  const life = { over: false };
  const ended = running.finished.finally(() => (life.over = true));
  await Promise.race([start, ended.catch(() => undefined)]);
  const until = Date.now() + TEST_MS;
  const ports = running.forwards.map(({ host, guest }) => [`PORT_${guest}`, String(host)] as const);
  const how = { cwd: loaded.source.directory, env: Object.fromEntries(ports), signal };
  let last = "the machine ended before it could be asked";
  while (!life.over && Date.now() < until) {
    const { status, text } = await runTest(command, how);
    if (status === 0) {
      // It may be gone already; how it went is in the record.
      await running.ask("poweroff").catch(() => undefined);
      return { refused: undefined };
    }
    last = `the test ended with ${status ?? "a signal"}${text === "" ? "" : `: ${text}`}`;
    await sleep(250, undefined, { signal });
  }
  if (!life.over) await running.ask("poweroff").catch(() => undefined);
  const gone = await Promise.race([ended.then(() => true), sleep(5000, false)]);
  if (!gone) await running.vm.kill();
  return { refused: last, killed: !gone };
}

/** Why a boot does not do what is expected, in one line; undefined when it does. */
export async function faultOf(
  { record, output, refused, killed }: Trial,
  expected: Pick<Expectation, "output" | "told" | "notes">,
): Promise<string | undefined> {
  const { end, failures, notes, report } = record;
  if (refused !== undefined && killed === true) return refused;
  if (end?.kind === "failed") {
    const [first = ""] = end.message.split("\n");
    const last = await lastLine(record.log);
    return last === "" || first.includes(last) ? first : `${first}; last on the console: ${last}`;
  }
  if (end?.kind === "not-started") return `the program could not be started: ${end.what}`;
  if (refused !== undefined) return refused;
  if (end?.kind === "exited" && end.status !== 0) {
    const said = output.trim().split("\n").at(-1) ?? "";
    return `the program ended with ${end.status}${said === "" ? "" : `: ${said}`}`;
  }
  if (end?.kind === "signalled") return `the program ended by signal ${end.signal}`;
  if (failures[0] !== undefined) return failures[0];
  const note = notes.find((one) => !expected.notes.includes(one));
  if (note !== undefined) return note;
  if (expected.output !== undefined && output !== expected.output) {
    return `the program printed something else: ${JSON.stringify(output.slice(0, 60))}`;
  }
  const told = toldBy(report);
  const silent = expected.told.find((fact) => !told.includes(fact));
  return silent === undefined ? undefined : `the report says nothing of ${silent}`;
}

/** What a report says something of. */
export function toldBy(report: BootReport | undefined): readonly string[] {
  if (report === undefined) return [];
  const { release, processes, memory, idle, times } = report;
  return [
    ...(release === undefined ? [] : ["the kernel"]),
    ...(processes.kernel > 0 ? ["processes"] : []),
    ...(memory === undefined ? [] : ["memory"]),
    ...(idle === undefined ? [] : ["the idle system"]),
    ...(times.init === undefined ? [] : ["times"]),
  ];
}

async function lastLine(log: string): Promise<string> {
  const text = await readFile(log, "latin1").catch(() => "");
  const lines = text.split(/[\r\n]+/).filter((line) => line.trim() !== "");
  return (lines.at(-1) ?? "").replaceAll(/[^\x20-\x7E]/g, "").trim();
}
