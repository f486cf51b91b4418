import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import { cliFile } from "../package-root.ts";
import type { BackgroundRun } from "../run/background.ts";
import type { RunRecord } from "../run/record.ts";
import { buildFor, printJson } from "./common.ts";
import type { BuildingFlags, CommonFlags, MachineFlags, RunningFlags, SpecFlags } from "./flags.ts";

type Flags = CommonFlags & SpecFlags & BuildingFlags & MachineFlags & RunningFlags;

export async function run(this: CliContext, flags: Flags, where: string): Promise<void> {
  const { stdout, stderr } = this.process;
  if (this.rest?.length === 0) throw new ApplianceError("APPLIANCE_USAGE", "No program after --");
  if (flags.json && flags.detach)
    throw new ApplianceError("APPLIANCE_USAGE", "--json and --detach exclude each other");
  const { loaded, bundle, cacheDir } = await buildFor(this, where, flags);
  const { checkMemory } = await import("../run/memory.ts");
  checkMemory(loaded.spec, bundle);
  if (flags.detach && flags.supervise === undefined) {
    const { detach } = await import("../run/detach.ts");
    const command = [process.execPath, ...process.execArgv, cliFile, ...this.argv];
    const background = await detach({ command, name: loaded.spec.name, signal: this.signal });
    stdout.write(describeBackground(background, where));
    return;
  }
  const { bootBundle } = await import("../run/boot.ts");
  const { exitStatus } = await import("../run/outcome.ts");
  const { createSupervision } = await import("../run/supervise.ts");
  const supervision =
    flags.supervise === undefined
      ? undefined
      : createSupervision(flags.supervise, {
          spec: loaded.source.file,
          name: loaded.spec.name,
          output: flags.supervise.replace(/json$/, "log"),
        });
  const running = await bootBundle({
    bundle,
    spec: loaded.spec,
    specFile: loaded.source.file,
    argv: this.rest,
    report: loaded.spec.report,
    stdin: "null",
    accel: flags.accel,
    timeout: flags.timeout,
    film: flags.film,
    cacheDir,
    signal: this.signal,
    // With --json the record is the result; what the program printed is in the log that it names.
    onOutput: flags.json ? undefined : (bytes) => write(stdout, bytes),
    onKernel: flags.verbose ? (bytes) => void stderr.write(bytes) : undefined,
    onFrame: supervision?.onFrame,
  });
  await supervision?.started(running);
  if (!flags.quiet && supervision === undefined) {
    for (const { host, guest } of running.forwards)
      stderr.write(`port ${host} of this machine leads to port ${guest}\n`);
  }
  const record = await running.finished;
  this.signal.throwIfAborted();
  this.status = record.end ? exitStatus(record.end) : 1;
  if (flags.json) printJson(this, record);
  else await tell(record);

  async function tell(done: RunRecord): Promise<void> {
    const { renderReport } = await import("../report/render.ts");
    const { collectFacts } = await import("../report/facts.ts");
    const known = done.end?.kind === "not-started" ? done.end.what : undefined;
    for (const failure of done.failures) if (failure !== known) stderr.write(`warning: ${failure}\n`);
    if (flags.verbose) for (const note of done.notes) stderr.write(`note: ${note}\n`);
    if (done.report !== undefined && (flags.report || !flags.quiet)) {
      const text = renderReport([await collectFacts(done, bundle)]);
      (flags.report ? stdout : stderr).write(`${text}\n`);
    }
    if (done.end?.kind === "failed") {
      stderr.write(`error: ${done.end.message}\n`);
      if (done.end.hint !== undefined) stderr.write(`hint: ${done.end.hint}\n`);
      stderr.write(`the whole console: ${done.log}\n`);
    } else if (done.end?.kind === "not-started") {
      stderr.write(`error: The program could not be started: ${done.end.what}\n`);
      stderr.write(
        `hint: is it among the spec's programs? ${done.argv[0] ?? ""} is looked up in the appliance, not here\n`,
      );
    }
  }
}

function describeBackground(run: BackgroundRun, where: string): string {
  const ports = run.forwards.map(({ host, guest }) => `  127.0.0.1:${host} leads to its port ${guest}\n`);
  const again = where === "." ? "" : ` ${where}`;
  return `${run.name} runs in the background (process ${run.pid})\n${ports.join("")}  its output: ${run.output}\n  to end it: appliance stop${again}\n`;
}

/** Writes and waits until the reader has taken it, so that a slow one is not buried. */
export function write(stream: CliContext["process"]["stdout"], bytes: Uint8Array): Promise<void> | undefined {
  if (stream.write(bytes)) return undefined;
  const real = stream as NodeJS.WriteStream;
  return typeof real.once === "function" ? new Promise((done) => void real.once("drain", done)) : undefined;
}
