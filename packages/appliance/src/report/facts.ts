import { readFile } from "node:fs/promises";
import { countSymbols, parseConfig, type SymbolCount } from "@justenough/kconfig";
import type { Bundle, ReferenceCount } from "../bundle/bundle.ts";
import type { RunRecord } from "../run/record.ts";

/** All that a report says of one booted system: numbers, no words. */
export interface ReportFacts {
  readonly name: string;
  readonly distro: boolean;
  /** What its kernel is called beside others; undefined for the spec's own. */
  readonly kernel?: string | undefined;
  readonly release: string;
  readonly accel: "kvm" | "tcg";
  /** Milliseconds from power-on. */
  readonly times: RunRecord["times"];
  readonly processes?:
    | { readonly user: number; readonly kernel: number; readonly names: readonly string[] }
    | undefined;
  readonly modules?: number | undefined;
  /** In KiB. */
  readonly memory?: { readonly used: number; readonly total: number } | undefined;
  readonly idle?:
    | {
        readonly interrupts: number;
        readonly contextSwitches: number;
        /** Interrupts a second by their source, most first. */
        readonly sources: readonly { readonly name: string; readonly rate: number }[];
      }
    | undefined;
  /** In bytes. */
  readonly kernelSize: number;
  readonly initramfsSize: number;
  readonly unpackedSize: number;
  readonly largest: readonly { readonly path: string; readonly size: number }[];
  readonly config: SymbolCount;
  /** The kernel's own default configuration, counted in the same tree. */
  readonly defconfig: ReferenceCount | null;
}

/** What is known of a run and of the bundle that it booted. */
export async function collectFacts(record: RunRecord, bundle: Bundle, called?: string): Promise<ReportFacts> {
  const { kernel, initramfs } = bundle.manifest;
  const { report } = record;
  return {
    name: record.name,
    distro: record.distro,
    kernel: record.distro ? "the distribution's kernel" : called,
    release: report?.release ?? kernel.release,
    accel: record.machine.accel,
    times: record.times,
    ...(report === undefined
      ? {}
      : {
          processes: report.processes,
          modules: report.modules.length,
          memory: report.memory && { used: report.memory.usedKiB, total: report.memory.totalKiB },
          idle: report.idle && {
            interrupts: report.idle.interruptsPerSecond,
            contextSwitches: report.idle.contextSwitchesPerSecond,
            sources: report.idle.bySource.map(({ source, perSecond }) => ({ name: source, rate: perSecond })),
          },
        }),
    kernelSize: kernel.size,
    initramfsSize: initramfs.size,
    unpackedSize: initramfs.unpackedSize,
    largest: initramfs.entries
      .toSorted((a, b) => b.size - a.size)
      .slice(0, 5)
      .filter(({ size }) => size > 0)
      .map(({ path, size }) => ({ path, size })),
    defconfig: bundle.manifest.config.defconfig,
    config: countSymbols(parseConfig(await readFile(bundle.config, "utf8"), { file: bundle.config })),
  };
}
