import { syscallNames } from "@justenough/elf";
import type { KernelUse } from "@justenough/kernel";
import { readTrace, serialDevices, TRACER, tracerSegment } from "@justenough/qemu";
import type { Bundle } from "../bundle/bundle.ts";
import { ApplianceError } from "../error.ts";
import { bootBundle } from "../run/boot.ts";
import type { RunRecord } from "../run/record.ts";
import type { LoadedSpec } from "../spec/load.ts";

export interface TraceOptions {
  readonly cacheDir: string;
  readonly signal?: AbortSignal | undefined;
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Milliseconds after its start at which a program that does not end by itself is told to. */
  readonly watch: number;
}

/** What a run has shown. */
export interface TracedUses {
  readonly uses: readonly KernelUse[];
  /** Whether program and children ended, and all that they did was told. */
  readonly complete: boolean;
  readonly record: RunRecord;
}

// The names that ELF has for them.
const MACHINES = { x86_64: "x86_64", arm64: "aarch64", riscv64: "riscv" } as const;

/**
 * Boots a bundle and traces its program.
 *
 * @throws ApplianceError APPLIANCE_BOOT_FAILED when it was not started; APPLIANCE_USAGE with an /init of the spec's own.
 */
export async function tracedUses(
  { spec, source }: LoadedSpec,
  bundle: Bundle,
  options: TraceOptions,
): Promise<TracedUses> {
  if (spec.init !== null) {
    throw new ApplianceError("APPLIANCE_USAGE", "An appliance with its own /init cannot be traced", {
      hint: 'leave out "init" in the spec, or ask for what its files tell alone: --static',
    });
  }
  const { arch } = spec;
  const { cacheDir, signal, accel, timeout } = options;
  let timer: NodeJS.Timeout | undefined;
  const running = await bootBundle({
    bundle,
    spec: { ...spec, forward: spec.forward.map((one) => (one.flexible ? { ...one, host: 0 } : one)) },
    specFile: source.file,
    argv: [TRACER, `/dev/${serialDevices(arch).ports[1]}`, ...spec.run.argv],
    report: 0,
    stdin: "null",
    accel,
    timeout,
    cacheDir,
    signal,
    extra: { initrd: [await tracerSegment({ arch, cacheDir })], ports: ["trace"] },
    onFrame: (frame, current) => {
      if (frame.type === "start") timer = setTimeout(() => void current.ask("poweroff"), options.watch);
      if (frame.type === "exit") clearTimeout(timer);
    },
  });
  const [record, { calls, complete }] = await Promise.all([
    running.finished,
    readTrace(running.vm.port("trace").readable),
  ]).finally(() => clearTimeout(timer));
  signal?.throwIfAborted();
  if (calls.length === 0) {
    const why = record.end?.kind === "failed" ? record.end.message : record.failures.join("; ");
    throw new ApplianceError("APPLIANCE_BOOT_FAILED", `The program could not be traced: ${why}`, {
      hint: `the whole console: ${record.log}`,
    });
  }
  const names = syscallNames(MACHINES[arch]);
  const uses = calls.map(({ number, foreign, errno, program, detail }): KernelUse => ({
    // A call of the 32-bit kind needs that kind first of all.
    call: foreign ? "foreign" : (names?.get(number) ?? String(number)),
    detail,
    by: program,
    evidence: "seen",
    errno,
  }));
  return { uses, complete, record };
}
