import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { reasonsFor, shrink } from "@justenough/kconfig";
import type { ReasonedEntry, ShrinkState } from "@justenough/kconfig";
import { withTrials } from "@justenough/kernel";
import { buildBundle } from "../bundle/build.ts";
import type { BuildContext } from "../bundle/context.ts";
import { kernelProgress, wantedKernel } from "../bundle/kernel.ts";
import { ApplianceError } from "../error.ts";
import { footprint } from "../footprint/footprint.ts";
import { canonicalJson, sha256 } from "../internal/canonical.ts";
import type { LoadedSpec } from "../spec/load.ts";
import { openMemory } from "./memory.ts";
import { openSearch, type TestEvent } from "./search.ts";
import { countOptions, readSearch, type CurvePoint, type Measure } from "./record.ts";
import { likelyOf, requiredOf } from "./required.ts";
import { tryKernel } from "./trial.ts";

/** How far a minimization may go. */
export interface MinimizeOptions extends BuildContext {
  /** Milliseconds, with all that is built first; no test is begun that would not end in time, as long as those before. */
  readonly budget: number;
  /** At most that many tests. Default: no limit. */
  readonly tests?: number | undefined;
  readonly accel?: "auto" | "kvm" | "tcg" | undefined;
  readonly onTest?: ((event: TestEvent) => void) | undefined;
}

/** The smallest kernel that was found. */
export interface Minimized {
  readonly start: Measure;
  readonly end: Measure;
  readonly release: string;
  readonly arch: string;
  /** A defconfig, each line with its reason. */
  readonly entries: readonly ReasonedEntry[];
  readonly state: ShrinkState;
  /** Options that there was no budget to try. Without any, none of those that are left can be turned off. */
  readonly untried: readonly string[];
  /** Every test, also of earlier calls. */
  readonly curve: readonly CurvePoint[];
  readonly seconds: number;
}

/**
 * Turns off, one step after the other, what an appliance's kernel has and its program does not miss: each step is built,
 * booted and judged by the program's exit status, output and report, or by the spec's `test`. What the spec itself names
 * under `features` and `config` stays. All verdicts are remembered: an interrupted minimization goes on where it was.
 *
 * @throws {ApplianceError} APPLIANCE_NOT_MINIMAL when the appliance does not pass before anything is turned off, or cannot be
 * minimized; and the errors of building.
 */
export async function minimizeAppliance(loaded: LoadedSpec, options: MinimizeOptions): Promise<Minimized> {
  const { spec, source } = loaded;
  const from = spec.kernel.source;
  if (from.kind === "distro") {
    throw new ApplianceError("APPLIANCE_NOT_MINIMAL", "The distribution's kernel is built already", {
      hint: "minimize a kernel that is built from source",
    });
  }
  if (spec.init !== null && spec.test !== null) {
    throw new ApplianceError(
      "APPLIANCE_NOT_MINIMAL",
      "An /init of one's own does not tell when to ask the test",
      {
        hint: "leave out init, or test: then the appliance passes when it ends as it did before",
      },
    );
  }
  if (spec.kernel.modules.length > 0) {
    throw new ApplianceError(
      "APPLIANCE_NOT_MINIMAL",
      "A kernel with modules in the initramfs cannot be minimized",
      {
        hint: "build the drivers in: leave out kernel.modules, and name them under kernel.config with y",
      },
    );
  }
  const until = Date.now() + options.budget;
  const { cacheDir, signal, jobs } = options;
  const bundle = await buildBundle(loaded, options);
  const wanted = await wantedKernel(spec, from, source, options);
  return withTrials(
    { ...wanted, cacheDir, signal, jobs, onProgress: kernelProgress(options) },
    async (trials) => {
      const required = requiredOf(loaded, trials.start);
      const acceptance = sha256(
        canonicalJson({
          kernels: trials.name,
          start: trials.start.text,
          initramfs: bundle.manifest.initramfs.sha256,
          cmdline: bundle.cmdline,
          required: required.map(({ symbol, value }) => [symbol, value.text]),
          machine: { memory: spec.memory, cpus: spec.cpus, network: spec.network, forward: spec.forward },
          test: spec.test,
          report: spec.report > 0,
          // Undefined, and not in it, is what works on this machine.
          accel: options.accel === "auto" ? undefined : options.accel,
        }),
      ).slice(0, 32);
      const directory = join(cacheDir, "appliance", "minimize");
      const tree = sha256(trials.name).slice(0, 16);
      const path = join(directory, `${acceptance}.json`);
      // Of an interrupted search what it began with: another order would try other kernels.
      const known = (await readSearch(path))?.used;
      const used = known === undefined ? await usedBy(loaded, options) : new Set(known);
      const likely = likelyOf(loaded);
      // Nobody else has this one, and what a killed process left is taken over.
      const scratch = join(directory, `${acceptance}.boot`);
      const trial = { loaded, bundle, cacheDir, accel: options.accel };
      const memory = await openMemory(join(directory, `tree-${tree}.ndjson`), acceptance, { used, likely });
      await mkdir(scratch, { recursive: true });
      try {
        const search = await openSearch({
          path,
          acceptance,
          memory,
          trials,
          used,
          boot: async (image, expected, mine) => {
            // Several may run at once, none of them of the same image.
            const log = join(scratch, sha256(image).slice(0, 8));
            await mkdir(log, { recursive: true });
            const aborted = [signal, mine].filter((one) => one !== undefined);
            return tryKernel(image, { ...trial, scratch: log, signal: AbortSignal.any(aborted) }, expected);
          },
          // A server's log is not what it is for.
          byOutput: spec.test === null,
          until,
          tests: options.tests,
          onTest: options.onTest,
        });
        for (;;) {
          const { state, untried } = await shrink({ tree: trials.tree, required, ...search.shrinking });
          if (!(await search.confirm(state))) continue;
          const { start, curve, seconds } = search.record();
          const end = { options: countOptions(state.text), bytes: await search.bytesOf(state.text) };
          const entries = reasonsFor(trials.tree, { state, untried, required });
          const { release } = bundle.manifest.kernel;
          return { start, end, release, arch: spec.arch, entries, state, untried, curve, seconds };
        }
      } finally {
        await rm(scratch, { recursive: true, force: true });
      }
    },
  );
}

// What the program uses on the distribution's kernel is likelier to be needed; used is not needed, and no footprint no harm.
async function usedBy({ source, spec }: LoadedSpec, options: MinimizeOptions): Promise<ReadonlySet<string>> {
  if (spec.init !== null) return new Set();
  options.onProgress?.({ phase: "looking at what the program uses", done: 0, unit: "steps" });
  const { cacheDir, signal, accel, onProgress } = options;
  const found = await footprint(source.file, {
    cacheDir,
    signal,
    accel,
    onProgress,
    overrides: { defconfig: false },
    timeout: 120_000,
    watch: 3000,
  }).catch(() => undefined);
  signal?.throwIfAborted();
  const seen = found?.needs.filter(({ evidence }) => evidence === "seen") ?? [];
  return new Set(seen.map(({ symbol }) => symbol));
}
