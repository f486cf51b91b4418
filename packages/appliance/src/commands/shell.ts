import type { CliContext } from "../context.ts";
import { ApplianceError } from "../error.ts";
import { buildFor } from "./common.ts";
import type { BuildingFlags, CommonFlags, MachineFlags, SpecFlags } from "./flags.ts";
import { write } from "./run.ts";

const shells = ["bash", "zsh", "ash", "dash", "sh"];
const escape = 0x1d; // Ctrl-], telnet's way out

export async function shell(
  this: CliContext,
  flags: CommonFlags & SpecFlags & BuildingFlags & MachineFlags,
  where: string,
): Promise<void> {
  const stdin = process.stdin;
  const { loaded, bundle, cacheDir } = await buildFor(this, where, flags);
  const { spec } = loaded;
  const paths = bundle.manifest.initramfs.entries.map(({ path }) =>
    path.startsWith("/") ? path : `/${path}`,
  );
  const found = shells
    .map((name) => paths.find((path) => path.endsWith(`/bin/${name}`)))
    .find((path) => path !== undefined);
  const argv = this.rest?.length ? this.rest : found === undefined ? undefined : [found];
  if (argv === undefined || spec.init !== null) {
    const message = spec.init === null ? `"${spec.name}" holds no shell` : `"${spec.name}" has its own /init`;
    throw new ApplianceError("APPLIANCE_USAGE", message, {
      hint:
        spec.init === null
          ? "add one to 'programs', like bash, or name a program after --"
          : "only the generated one starts a shell",
    });
  }
  const [{ bootBundle }, { checkMemory }, { exitStatus }] = await Promise.all([
    import("../run/boot.ts"),
    import("../run/memory.ts"),
    import("../run/outcome.ts"),
  ]);
  checkMemory(spec, bundle);
  // What is typed during the boot would get lost before somebody reads it there.
  const early: Uint8Array[] = [];
  let started = false;
  const running = await bootBundle({
    bundle,
    spec,
    specFile: loaded.source.file,
    argv,
    env: terminalEnv(this),
    report: 0,
    stdin: "console",
    accel: flags.accel,
    timeout: flags.timeout,
    cacheDir,
    signal: this.signal,
    onOutput: (bytes) => write(this.process.stdout, bytes),
    onFrame: (frame, { vm }) => {
      if (frame.type !== "start") return;
      for (const bytes of early.splice(0)) void vm.console.write(bytes).catch(() => undefined);
      started = true;
    },
  });
  const onData = (bytes: Uint8Array): void => {
    if (stdin.isTTY && bytes.includes(escape)) void running.vm.kill();
    else if (!started) early.push(bytes);
    else void running.vm.console.write(bytes).catch(() => undefined);
  };
  // A line's end of input is Ctrl-D there: a script piped in ends its shell.
  const onEnd = (): void => onData(Uint8Array.of(4));
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    this.process.stderr.write("(exit ends it, Ctrl-] ends it at once)\r\n");
  }
  stdin.on("data", onData);
  stdin.once("end", onEnd);
  try {
    const record = await running.finished;
    this.signal.throwIfAborted();
    this.status = record.end ? exitStatus(record.end) : 1;
    if (record.end?.kind === "failed" && running.story.times.start === undefined) {
      throw new ApplianceError("APPLIANCE_BOOT_FAILED", record.end.message, { hint: record.end.hint });
    }
    if (record.end?.kind === "not-started")
      throw new ApplianceError("APPLIANCE_BOOT_FAILED", record.end.what);
  } finally {
    stdin.off("data", onData);
    stdin.off("end", onEnd);
    if (stdin.isTTY) stdin.setRawMode(false);
    stdin.pause();
  }
}

/** A serial line has no window size: programs that ask get these. */
function terminalEnv(context: CliContext): Record<string, string> {
  const { columns, rows } = process.stdout;
  const size = columns > 0 && rows > 0 ? { COLUMNS: String(columns), LINES: String(rows) } : {};
  return { TERM: context.process.env["TERM"] ?? "linux", ...size };
}
