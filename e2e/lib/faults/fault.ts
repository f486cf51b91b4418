/** Ways to fail a boot, each with what the runner has to make of it. */
import { isDeepStrictEqual } from "node:util";
import { describeResult, launch, QemuError } from "@justenough/qemu";
import type { BootResult, Deadlines, LaunchOptions, MachineSpec, Vm } from "@justenough/qemu";
import type { Guest } from "../../../packages/qemu/test/support/guest.ts";

/** What the faults are made of. */
export interface Bench {
  /** A distribution's kernel and a busybox. */
  readonly guest: Guest;
  /** A directory of this run alone. */
  readonly scratch: string;
  /** How many times as long as on an idle machine a boot takes here: limits that wait for a guest are as many times as long. */
  readonly pace: number;
}

/** How long three boots at once take on two idle cores, in milliseconds. */
const IDLE_BOOTS_MS = 4000;

/** The bench, with the pace of this machine as it is now: as many boots at once as there will be faults. */
export async function makeBench(guest: Guest, scratch: string): Promise<Bench> {
  const boot = async (): Promise<number> => {
    const { kernel } = guest;
    // It has no init, and gives up.
    await using vm = await launch({ kernel, cmdline: "console=ttyS0" }, { deadlines: { total: 300_000 } });
    const { times } = await vm.wait();
    return times.end - times.running;
  };
  const took = await Promise.all([boot(), boot(), boot()]);
  return { guest, scratch, pace: Math.max(1, Math.max(...took) / IDLE_BOOTS_MS) };
}

export interface Fault {
  readonly name: string;
  machine(bench: Bench): MachineSpec | Promise<MachineSpec>;
  readonly options?: LaunchOptions;
  /** What happens to it while it runs. */
  act?(vm: Vm): Promise<void>;
  readonly expected: Expected;
}

/** Either how it ends, or the code of the error by which `launch` refuses it; and what the words for people have in them. */
export interface Expected {
  readonly end: Readonly<Record<string, unknown>> | string;
  readonly diagnosis?: string;
  readonly words: RegExp;
  /** What must not have been lost of the console, in bytes. */
  readonly console?: number;
}

export interface Verdict {
  /** Empty when all is as expected. */
  readonly problems: readonly string[];
  readonly seconds: number;
  /** From a panic's first line to the result, in milliseconds. */
  readonly panicMs?: number;
}

const COMMAND = "console=ttyS0";
/** More than any boot here takes on a busy machine, so that what ends it is what was meant to. */
const LIMIT = { total: 90_000 };

export async function runFault(fault: Fault, bench: Bench): Promise<Verdict> {
  const started = performance.now();
  const problems: string[] = [];
  const seconds = (): number => (performance.now() - started) / 1000;
  const spec = {
    cmdline: COMMAND,
    memory: "256M",
    kernel: bench.guest.kernel,
    ...(await fault.machine(bench)),
  };
  let panicMs: number | undefined;
  try {
    const { spawn, ...limits }: Deadlines = fault.options?.deadlines ?? LIMIT;
    const slowed = Object.entries(limits).map(([name, limit]) => [
      name,
      Math.ceil((limit ?? 0) * bench.pace),
    ]);
    const deadlines = { ...(Object.fromEntries(slowed) as typeof limits), spawn };
    await using vm = await launch(spec, { ...fault.options, deadlines });
    void fault.act?.(vm);
    const panicLine = firstPanic(vm);
    const result = await vm.wait();
    const ended = performance.now();
    const at = await panicLine;
    if (result.kind === "panic" && at !== undefined) panicMs = ended - at;
    problems.push(...compare(result, fault.expected));
    const bytes = vm.console.bytes().length;
    if (fault.expected.console !== undefined && bytes < fault.expected.console)
      problems.push(`${bytes} bytes of the console`);
  } catch (error) {
    if (!(error instanceof QemuError)) throw error;
    problems.push(...compareError(error, fault.expected));
  }
  return { problems, seconds: seconds(), ...(panicMs === undefined ? {} : { panicMs }) };
}

/** When the panic's first line came, by our own clock. */
async function firstPanic(vm: Vm): Promise<number | undefined> {
  for await (const { text } of vm.console.lines())
    if (text.includes("Kernel panic - not syncing")) return performance.now();
  return undefined;
}

function compare(result: BootResult, { end, diagnosis, words }: Expected): string[] {
  const problems: string[] = [];
  if (typeof end === "string") return [`it ran and ended by ${result.kind}, expected was ${end}`];
  for (const [key, value] of Object.entries(end)) {
    const is = (result as unknown as Record<string, unknown>)[key];
    if (!isDeepStrictEqual(is, value))
      problems.push(`${key} is ${String(is)}, expected was ${String(value)}`);
  }
  const first = result.diagnoses[0]?.id;
  if (first !== diagnosis) problems.push(`diagnosis is ${first}, expected was ${diagnosis}`);
  const { message, hint = "" } = describeResult(result);
  if (!words.test(`${message}\n${hint}`)) problems.push(`the words are "${message}", hint "${hint}"`);
  if (problems.length > 0) problems.push(...result.tail.slice(-15).map((line) => `  | ${line}`));
  return problems;
}

function compareError({ code, message, hint = "" }: QemuError, { end, words }: Expected): string[] {
  const problems =
    code === end ? [] : [`refused with ${code}, expected was ${JSON.stringify(end)}: ${message}`];
  if (!words.test(`${message}\n${hint}`)) problems.push(`the words are "${message}", hint "${hint}"`);
  return problems;
}
