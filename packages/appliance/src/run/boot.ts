import { randomBytes } from "node:crypto";
import { join } from "node:path";
import {
  decodeChannel,
  jobSegment,
  splitConsole,
  summarizeReport,
  type ChannelFrame,
} from "@justenough/initramfs";
import { launch, serialDevices, type BootResult, type Vm } from "@justenough/qemu";
import type { Bundle } from "../bundle/bundle.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";
import { judgeRun, type GuestStory } from "./outcome.ts";
import { choosePorts } from "./ports.ts";
import { newRunDirectory, pruneRuns, writeRecord, type RunRecord } from "./record.ts";

// What only this machine wants. QEMU's TSC can be trusted from the first moment: without the word the kernel compares
// it with the HPET for a second or two, and ticks 250 times a second meanwhile (arch/x86/kernel/tsc.c,
// kernel/time/clocksource.c).
const machineArguments: Readonly<Record<ResolvedSpec["arch"], string>> = {
  x86_64: " tsc=reliable",
  arm64: "",
  riscv64: "",
};

/** One boot of a bundle. */
export interface BootRequest {
  readonly bundle: Bundle;
  readonly spec: ResolvedSpec;
  /** The spec's file, under which the record is found again. */
  readonly specFile: string;
  /** Instead of the spec's program. */
  readonly argv?: readonly string[] | undefined;
  /** Added to the spec's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Idle window in milliseconds after the program's end; 0: no report. */
  readonly report: number;
  /** `console`: the program reads what `input` gives, on a terminal. */
  readonly stdin: "null" | "console";
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  /** Milliseconds after which it is ended. */
  readonly timeout?: number | undefined;
  /** Animated PNG of the screen, or directory for its pictures. */
  readonly film?: string | undefined;
  /** Pieces to append to the initramfs, and names of serial ports after the channel, see `vm.port()`. */
  readonly extra?: { readonly initrd: readonly Uint8Array[]; readonly ports: readonly string[] } | undefined;
  readonly cacheDir: string;
  /** A directory for the console's log, of a boot that is not to be remembered. */
  readonly scratch?: string | undefined;
  /** Milliseconds from the start to the first byte, and to the program's start. */
  readonly patience?: Patience | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The program's output as it comes; awaited, so that a slow reader is not run over. */
  readonly onOutput?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
  /** Everything else on the console. */
  readonly onKernel?: ((bytes: Uint8Array) => void) | undefined;
  readonly onFrame?: ((frame: ChannelFrame, running: Running) => void) | undefined;
}

/** A boot in progress. */
export interface Running {
  readonly vm: Vm;
  readonly forwards: readonly { readonly host: number; readonly guest: number }[];
  readonly directory: string;
  /** How it ended; never rejects for what the guest did. */
  readonly finished: Promise<RunRecord>;
  /** Asks the generated /init for something: `report 1000` or `poweroff`. */
  readonly ask: (line: string) => Promise<void>;
  /** What has been heard from the guest up to now. */
  readonly story: GuestStory;
}

/** How long a guest may take. */
export interface Patience {
  readonly firstOutput: number;
  readonly programStart: number;
}

// Generous, since without KVM a busy host is slow.
const patient: Patience = { firstOutput: 60_000, programStart: 180_000 };

/** Boots a bundle in QEMU and follows it on console and control channel. */
export async function bootBundle(request: BootRequest): Promise<Running> {
  const { bundle, spec, signal, patience = patient, scratch } = request;
  const generated = spec.init === null;
  const token = randomBytes(8).toString("hex");
  const forwards = await choosePorts(spec.forward);
  const { id, directory } =
    scratch === undefined ? await newRunDirectory(spec.name) : { id: "scratch", directory: scratch };
  const log = join(directory, "console.log");
  const job = jobSegment({
    ...(request.argv === undefined ? {} : { args: request.argv }),
    ...(request.env === undefined ? {} : { env: request.env }),
    token,
    channel: `/dev/${serialDevices(spec.arch).ports[0]}`,
    report: request.report,
    stdin: request.stdin,
    // A terminal's own newline translation would change the program's bytes; a person's terminal wants it.
    tty: request.stdin === "console" ? "cooked" : "raw",
    ...(request.film === undefined ? {} : { tee: "/dev/tty0" }),
    bundle: bundle.id,
  });
  const vm = await launch(
    {
      kernel: bundle.kernel,
      initrd: [bundle.initramfs, ...(generated ? [job] : []), ...(request.extra?.initrd ?? [])],
      arch: spec.arch,
      cmdline: `${bundle.cmdline}${machineArguments[spec.arch]}`,
      memory: spec.memory,
      cpus: spec.cpus,
      accel: request.accel,
      ports: ["channel", ...(request.extra?.ports ?? [])],
      vga: request.film !== undefined,
      ...(spec.network.kind === "none" ? {} : { forwards }),
    },
    {
      signal,
      consoleLog: log,
      cacheDir: request.cacheDir,
      deadlines: { firstOutput: patience.firstOutput, total: request.timeout },
    },
  );
  const poweredOn = performance.now();
  const film = request.film === undefined ? undefined : await vm.screen.film(request.film);
  const story: GuestStory = {
    notes: [],
    failures: [],
    frames: [],
    times: {},
    reported: false,
    complete: false,
  };
  const lag = generated ? watchStart(vm, story, patience.programStart) : undefined;

  const console_ = async (): Promise<void> => {
    if (!generated) {
      for await (const bytes of vm.console.readable) await request.onOutput?.(bytes);
      return;
    }
    for await (const { part, bytes } of splitConsole(vm.console.readable, token)) {
      if (part === "program") await request.onOutput?.(bytes);
      else request.onKernel?.(bytes);
    }
  };
  const channel = async (): Promise<void> => {
    if (!generated) return;
    for await (const frame of decodeChannel(vm.port("channel").readable)) {
      listen(story, frame, performance.now() - poweredOn);
      request.onFrame?.(frame, running);
    }
  };
  const started = new Date().toISOString();
  const record = (end: RunRecord["end"], result?: BootResult): RunRecord => ({
    format: 1,
    id,
    spec: request.specFile,
    name: spec.name,
    bundle: bundle.id,
    distro: spec.kernel.source.kind === "distro",
    started,
    argv: request.argv ?? spec.run.argv,
    machine: { accel: vm.accel, qemu: vm.qemuVersion, memory: spec.memory, cpus: spec.cpus },
    forwards: vm.forwards.map(({ host, guest }) => ({ host, guest })),
    times: { ...story.times, end: result && Math.round(result.times.end - result.times.running) },
    end,
    notes: story.notes,
    failures: story.failures,
    report: story.reported ? summarizeReport(story.frames) : undefined,
    log,
  });
  const follow = async (): Promise<RunRecord> => {
    const [result] = await Promise.all([vm.wait(), console_(), channel()]);
    lag?.stop();
    await film?.stop();
    const done = record(judgeRun({ result, story, generated, late: lag?.late ?? false }), result);
    if (scratch !== undefined) return done;
    await writeRecord(directory, done);
    await pruneRuns();
    return done;
  };
  const running: Running = {
    vm,
    forwards: record(undefined).forwards,
    directory,
    story,
    ask: async (line) => vm.port("channel").write(`${line}\n`),
    finished: follow(),
  };
  // Whoever waits hears of it; until then a failure (a reader that went away) must only end the machine.
  running.finished.catch(() => vm.kill());
  return running;
}

/** Ends a machine whose program has not been started in time: a dead /init leaves no other sign. */
function watchStart(
  vm: Vm,
  story: GuestStory,
  withinMs: number,
): { readonly stop: () => void; readonly late: boolean } {
  let late = false;
  const timer = setTimeout(() => {
    if (story.times.start !== undefined || story.exit) return;
    late = true;
    void vm.kill();
  }, withinMs);
  return {
    stop: () => clearTimeout(timer),
    get late() {
      return late;
    },
  };
}

function listen(story: GuestStory, frame: ChannelFrame, at: number): void {
  const time = Math.round(at);
  story.frames.push(frame);
  switch (frame.type) {
    case "init":
      story.times.init ??= time;
      break;
    case "start":
      story.times.start ??= time;
      break;
    case "exit":
      story.times.exit ??= time;
      story.exit = frame;
      break;
    case "fail":
      story.failures.push(frame.message || frame.what);
      break;
    case "note":
      story.notes.push(frame.text);
      break;
    case "damaged":
      story.notes.push(`the control channel: ${frame.reason}`);
      break;
    case "report-end":
      story.reported = true;
      break;
    case "end":
      story.complete = true;
      break;
    default:
  }
}
