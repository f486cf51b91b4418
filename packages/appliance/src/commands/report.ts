import { setTimeout as sleep } from "node:timers/promises";
import { buildBundle, type BuiltBundle } from "../bundle/build.ts";
import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import type { ProgressDisplay } from "../progress.ts";
import { collectFacts, type ReportFacts } from "../report/facts.ts";
import { renderReport } from "../report/render.ts";
import { listBackground } from "../run/background.ts";
import { listRecords, type RunRecord } from "../run/record.ts";
import { loadSpec, type LoadedSpec } from "../spec/load.ts";
import { cacheDirOf, displayOf, overridesOf, printJson } from "./common.ts";
import type { CommonFlags, MachineFlags, SpecFlags } from "./flags.ts";

type Flags = CommonFlags & SpecFlags & MachineFlags & { readonly fresh: boolean };

// How long a program may run before it counts as a server, which is measured while it runs.
const settleMs = 3000;

export async function report(this: CliContext, flags: Flags, where: string): Promise<void> {
  const cacheDir = cacheDirOf(this, flags);
  const display = displayOf(this, false);
  const context = { cacheDir, signal: this.signal, onProgress: display.onProgress };
  const columns: ReportFacts[] = [];
  const records: RunRecord[] = [];
  try {
    const overrides = overridesOf(flags);
    const own = await loadSpec(where, overrides);
    const systems: [LoadedSpec, string?][] = [[own]];
    if (own.spec.kernel.defconfig !== null)
      systems.push([await loadSpec(where, { ...overrides, defconfig: false }), "not minimized"]);
    if (own.spec.kernel.source.kind !== "distro")
      systems.push([await loadSpec(where, { ...overrides, kernel: "distro" })]);
    for (const [loaded, called] of systems) {
      const bundle = await buildBundle(loaded, context);
      const record =
        (flags.fresh ? undefined : await findRecord(loaded, bundle)) ??
        (await measure(loaded, bundle, flags, this, display, cacheDir));
      records.push(record);
      columns.push(await collectFacts(record, bundle, called));
    }
    display.clear();
    if (flags.json) printJson(this, { columns, records });
    else this.process.stdout.write(`${renderReport(columns)}\n`);
  } finally {
    display.clear();
  }
}

/** The newest record with a report of this very bundle; one that runs in the background is asked now. */
async function findRecord(loaded: LoadedSpec, bundle: BuiltBundle): Promise<RunRecord | undefined> {
  const matching = async (): Promise<RunRecord | undefined> =>
    (await listRecords()).find(
      (record) =>
        record.bundle === bundle.id &&
        record.spec === loaded.source.file &&
        record.report !== undefined &&
        record.times.start !== undefined &&
        // Another program than the spec's, given after --, is another measurement.
        record.argv.join("\0") === loaded.spec.run.argv.join("\0"),
    );
  const background = (await listBackground()).find((run) => run.spec === loaded.source.file);
  if (background) {
    process.kill(background.pid, "SIGUSR1");
    const until = Date.now() + 15_000;
    while (Date.now() < until) {
      const record = await matching();
      if (record && background.directory.endsWith(record.id)) return record;
      await sleep(100);
    }
  }
  return matching();
}

/** Boots once to measure. A program that does not end by itself is measured while it runs, then powered off. */
async function measure(
  loaded: LoadedSpec,
  bundle: BuiltBundle,
  flags: Flags,
  context: CliContext,
  display: ProgressDisplay,
  cacheDir: string,
): Promise<RunRecord> {
  if (loaded.spec.init !== null) {
    throw new ApplianceError(
      "APPLIANCE_NO_RECORD",
      "An appliance with its own /init tells nothing to report",
      {
        hint: "leave out 'init' in the spec",
      },
    );
  }
  const { bootBundle } = await import("../run/boot.ts");
  const which = loaded.spec.kernel.source.kind === "distro" ? "the distribution's kernel" : "this kernel";
  display.onProgress({ phase: `booting ${which} to measure it`, done: 0, unit: "steps" });
  let timer: NodeJS.Timeout | undefined;
  const running = await bootBundle({
    bundle,
    spec:
      loaded.spec.forward.length > 0
        ? { ...loaded.spec, forward: loaded.spec.forward.map((each) => ({ ...each, host: 0 })) }
        : loaded.spec,
    specFile: loaded.source.file,
    report: loaded.spec.report || 1000,
    stdin: "null",
    accel: flags.accel,
    timeout: flags.timeout ?? 300_000,
    cacheDir,
    signal: context.signal,
    onFrame: (frame, current) => {
      if (frame.type === "start")
        timer = setTimeout(() => void current.ask(`report ${loaded.spec.report || 1000}`), settleMs);
      if (frame.type === "exit") clearTimeout(timer);
      if (frame.type === "report-end" && current.story.exit === undefined) void current.ask("poweroff");
    },
  });
  const record = await running.finished.finally(() => clearTimeout(timer));
  context.signal.throwIfAborted();
  if (record.report) return record;
  const why = record.end?.kind === "failed" ? record.end.message : "the guest sent no report";
  throw new ApplianceError("APPLIANCE_NO_RECORD", `Cannot report on ${which}: ${why}`, {
    hint: `the whole console: ${record.log}`,
  });
}
