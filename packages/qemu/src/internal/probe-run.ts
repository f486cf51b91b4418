import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connectQmp } from "../qmp.ts";
import { detectGuard, spawnGuarded } from "./guard.ts";
import { PROBE_CODE, PROBE_STAGES } from "./probe-rom.ts";
import { romImage } from "./rom-image.ts";
import { createRunDirectory } from "./run-directory.ts";
import { timerLimit } from "./timer-limit.ts";

export interface ProbeRequest {
  readonly qemu: string;
  readonly accel: "kvm" | "tcg";
  readonly cpu: string;
  readonly machineType: string;
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/** What was seen of one run of the probe guest. */
export interface ProbeRun {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stages: string;
  /** Time between the last two stages, which is the loop; infinite when it did not end. */
  readonly loopMs: number;
  readonly internalError: boolean;
  readonly timedOut: boolean;
  readonly timeout: number;
  readonly stderr: string;
}

const QMP_FD = 3;
const STAGES_FD = 4;
const MAX_STDERR = 4096;

/** Boots the probe ROM and watches it; whatever happens, QEMU is gone when this returns. */
export async function runProbe(request: ProbeRequest): Promise<ProbeRun> {
  request.signal?.throwIfAborted();
  const directory = await createRunDirectory();
  try {
    const rom = join(directory.path, "probe.rom");
    await writeFile(rom, romImage(PROBE_CODE));
    return await watch(rom, request);
  } finally {
    await directory.remove();
  }
}

async function watch(rom: string, request: ProbeRequest): Promise<ProbeRun> {
  const guard = await detectGuard();
  const child = spawnGuarded(guard, [request.qemu, ...probeArguments(rom, request)], 2);
  let stages = "";
  let stderr = "";
  let loopStart = 0;
  let loopEnd = Infinity;
  let timedOut = false;
  let internalError = false;
  child.channel(STAGES_FD).on("data", (bytes: Uint8Array) => {
    for (const byte of bytes) {
      stages += String.fromCodePoint(byte);
      if (stages.length === PROBE_STAGES.length - 1) loopStart = performance.now();
      if (stages.length === PROBE_STAGES.length) loopEnd = performance.now();
    }
  });
  child.stderr.on("data", (bytes: Uint8Array) => {
    if (stderr.length < MAX_STDERR) stderr += Buffer.from(bytes).toString("utf8");
    if (stderr.includes("KVM internal error")) {
      internalError = true;
      child.kill();
    }
  });
  child.stdout.resume();
  const watchStop = async (): Promise<void> => {
    const qmp = await connectQmp(child.channel(QMP_FD));
    await qmp.execute("cont");
    for await (const { event } of qmp.events()) {
      if (event !== "STOP") continue;
      internalError = true;
      child.kill();
    }
  };
  // The connection ends with QEMU, however that ends; what it was is judged by the rest.
  watchStop().catch(() => undefined);
  const onAbort = (): void => child.kill();
  request.signal?.addEventListener("abort", onAbort, { once: true });
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill();
  }, timerLimit(request.timeout));
  const { code, signal } = await child.closed;
  clearTimeout(timer);
  request.signal?.removeEventListener("abort", onAbort);
  request.signal?.throwIfAborted();
  return {
    exitCode: code,
    signal,
    stages,
    loopMs: loopEnd - loopStart,
    internalError,
    timedOut,
    timeout: request.timeout,
    stderr: stderr.trim().slice(0, MAX_STDERR),
  };
}

function probeArguments(rom: string, { machineType, accel, cpu }: ProbeRequest): string[] {
  return [
    ["-nodefaults", "-no-user-config", "-display", "none", "-m", "16M"],
    ["-machine", machineType, "-accel", accel, "-cpu", cpu, "-bios", rom],
    ["-chardev", `socket,id=qmp,fd=${QMP_FD}`, "-mon", "chardev=qmp,mode=control"],
    ["-chardev", `socket,id=stages,fd=${STAGES_FD}`, "-device", "isa-debugcon,iobase=0x402,chardev=stages"],
    ["-device", "isa-debug-exit,iobase=0x501,iosize=4", "-no-reboot", "-S"],
  ].flat();
}
