import { open } from "node:fs/promises";
import { QemuError } from "./errors.ts";
import { boardOf, defaultCpu, machineType } from "./board.ts";
import type { Arch, Machine } from "./machine.ts";
import { bootRecord, readRecord, writeRecord } from "./internal/boot-record.ts";
import { findQemu } from "./internal/qemu-binary.ts";
import { runProbe, type ProbeRun } from "./internal/probe-run.ts";
import { PROBE_EXIT_CODE, PROBE_STAGES } from "./internal/probe-rom.ts";

/** What became of the probe guest. Only `ok` is usable. */
export type AccelShape =
  /** All stages passed, at speed. */
  | "ok"
  /** There is no /dev/kvm. */
  | "absent"
  /** /dev/kvm can't be opened. */
  | "denied"
  /** The guest's architecture is not the host's. */
  | "foreign"
  /** QEMU refused to start: its message is the reason. */
  | "refused"
  /** QEMU crashed. */
  | "crashed"
  /** The virtual machine stopped with an internal error. */
  | "internal-error"
  /** All stages passed, far too slowly for hardware. */
  | "slow"
  /** The probe did not come to its end. */
  | "hung";

export interface AccelVerdict {
  readonly usable: boolean;
  readonly shape: AccelShape;
  /** One sentence. */
  readonly reason: string;
  /** Letters of the stages that passed; all are `RPLCFIT`. */
  readonly stages: string;
  /** How long the probe took. */
  readonly ms: number;
  /** From an earlier probe since this boot of the host. */
  readonly cached: boolean;
}

export interface ProbeOptions {
  readonly accel?: "kvm" | "tcg" | undefined;
  readonly arch?: Arch | undefined;
  /** QEMU's `-cpu` of the run that is planned: a verdict is good for that model only. */
  readonly cpu?: string | undefined;
  readonly preset?: Machine["preset"] | undefined;
  readonly binary?: string | undefined;
  /** Where verdicts are kept, default `$XDG_CACHE_HOME/justenough`; `false` keeps none. */
  readonly cacheDir?: string | false | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Limit in milliseconds, default 2000. */
  readonly timeout?: number | undefined;
}

/** The loop of 20 million rounds takes hardware 10 ms and TCG 100 ms; a KVM that emulates instructions takes 40 s. */
const SLOW_LOOP_MS = 1000;

/**
 * Finds out whether an accelerator really runs a kernel, by letting it run one: a ROM of 512 bytes that goes from
 * the reset vector to long mode, uses the FPU, takes an exception and counts. A /dev/kvm that opens proves nothing:
 * there are hosts where QEMU then aborts, stops, or crawls.
 *
 * @throws QemuError `QEMU_NOT_FOUND`
 * @example
 * ```ts
 * import { probeAccelerator } from "@justenough/qemu";
 * const verdict = await probeAccelerator();
 * console.log(verdict.usable ? "KVM works" : `no KVM: ${verdict.reason}`);
 * ```
 */
export async function probeAccelerator(options: ProbeOptions = {}): Promise<AccelVerdict> {
  const accel = options.accel ?? "kvm";
  const start = performance.now();
  const arch = options.arch ?? "x86_64";
  const qemu = await findQemu(options.binary ?? boardOf(arch).binary);
  if (accel === "kvm" || arch !== "x86_64") {
    const early = arch === "x86_64" && process.arch === "x64" ? await kvmDevice() : foreign(arch);
    if (early !== undefined) {
      return { usable: false, ...early, stages: "", ms: performance.now() - start, cached: false };
    }
  }
  const cpu = options.cpu ?? defaultCpu(accel);
  const type = machineType({ arch, preset: options.preset ?? "q35" });
  const file =
    options.cacheDir === false
      ? undefined
      : await bootRecord(options.cacheDir, "accel", [qemu.path, qemu.mtimeMs, accel, cpu, type]);
  const known = file === undefined ? undefined : await readRecord(file, isVerdict);
  if (known !== undefined) return { ...known, cached: true };
  const run = await runProbe({
    qemu: qemu.path,
    accel,
    cpu,
    machineType: type,
    timeout: options.timeout ?? 2000,
    signal: options.signal,
  });
  const verdict: AccelVerdict = {
    ...judgeProbe(run),
    stages: run.stages,
    ms: performance.now() - start,
    cached: false,
  };
  // A busy host can make a good accelerator slow once, and one without memory kills whom it likes; what can't be a matter
  // of load is remembered until the next boot.
  const { shape } = verdict;
  const byLoad = shape === "slow" || shape === "hung" || (shape === "crashed" && isFromOutside(run.signal));
  if (file !== undefined && !byLoad) await writeRecord(file, verdict);
  return verdict;
}

/** The judgement of one run of the probe guest. Usable only when everything was seen to work. */
export function judgeProbe(run: ProbeRun): Pick<AccelVerdict, "usable" | "shape" | "reason"> {
  const no = (shape: AccelShape, reason: string): Pick<AccelVerdict, "usable" | "shape" | "reason"> => ({
    usable: false,
    shape,
    reason,
  });
  const words = run.stderr === "" ? "" : `: ${run.stderr.split("\n", 1)[0]}`;
  if (run.exitCode === PROBE_EXIT_CODE && run.stages === PROBE_STAGES) {
    if (run.loopMs <= SLOW_LOOP_MS)
      return { usable: true, shape: "ok", reason: "The probe guest ran to its end" };
    return no(
      "slow",
      `The probe guest's loop took ${Math.round(run.loopMs)} ms: this is no hardware acceleration`,
    );
  }
  if (run.internalError)
    return no(
      "internal-error",
      `The virtual machine stopped with an internal error after stage "${run.stages}"${words}`,
    );
  if (run.timedOut)
    return no("hung", `The probe guest did not end within ${run.timeout} ms, last stages "${run.stages}"`);
  if (run.signal !== null) return no("crashed", `QEMU was ended by ${run.signal}${words}`);
  return no("refused", `QEMU ended with exit code ${run.exitCode}${words}`);
}

/** The accelerator for a machine, with the verdict that decided. */
export async function chooseAccelerator(
  machine: Machine,
  options: { readonly cacheDir?: string | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<{ readonly accel: "kvm" | "tcg"; readonly verdict?: AccelVerdict }> {
  if (machine.accel === "tcg") return { accel: "tcg" };
  const { arch, cpu, preset, binary } = machine;
  const verdict = await probeAccelerator({ accel: "kvm", arch, cpu, preset, binary, ...options });
  if (verdict.usable) return { accel: "kvm", verdict };
  if (preset === "microvm")
    throw new QemuError("QEMU_KVM_UNUSABLE", `A microvm needs KVM, which can't be used: ${verdict.reason}`, {
      hint: `Use preset "lean", which is as fast under emulation`,
    });
  if (machine.accel === "auto") return { accel: "tcg", verdict };
  throw new QemuError("QEMU_KVM_UNUSABLE", `KVM was asked for and can't be used: ${verdict.reason}`, {
    hint: `Use accel "auto" to fall back to emulation`,
  });
}

// The probe guest is a PC's: where host and guest are both something else, nothing is proved, and so nothing is used.
function foreign(arch: Arch): { shape: AccelShape; reason: string } {
  const reason =
    process.arch === "arm64" && arch === "arm64"
      ? "There is no probe guest for arm64 yet, and without one KVM is not used"
      : `This host (${process.arch}) can't run the instructions of ${arch} itself`;
  return { shape: "foreign", reason };
}

async function kvmDevice(): Promise<{ shape: AccelShape; reason: string } | undefined> {
  try {
    await (await open("/dev/kvm", "r+")).close();
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { shape: "absent", reason: "There is no /dev/kvm" };
    return { shape: "denied", reason: `/dev/kvm can't be opened (${code})` };
  }
}

/** Of these QEMU does not die by itself. */
function isFromOutside(signal: string | null): boolean {
  return signal === "SIGKILL" || signal === "SIGTERM";
}

function isVerdict(value: AccelVerdict): boolean {
  return typeof value.usable === "boolean" && value.usable === (value.shape === "ok");
}
