import { readFile } from "node:fs/promises";
import type { ReadStream } from "node:tty";
import type { Readable } from "node:stream";
import { startRecords } from "./cli-records.ts";
import { report, resultStatus, signalStatus, type CliIo } from "./cli-result.ts";
import { runProgram, withAgent } from "./guest-program.ts";
import { UsageError } from "./usage-error.ts";
import type { Vm } from "./vm.ts";
import {
  errorStatus,
  machineFromOptions,
  parseArch,
  parseOptions,
  parsePattern,
  parsePreset,
  parseSeconds,
  type Values,
} from "./options.ts";

/** The command `qemu-boot`; resolves with its exit status and has left nothing behind then. */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  try {
    const values = parseOptions(argv);
    return await run(values, io);
  } catch (error) {
    if (io.signal.aborted) return signalStatus(io.signal);
    const { message, stack, hint } = error as Error & { hint?: string };
    io.stderr.write(
      `error: ${argv.includes("--debug") ? stack : message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`,
    );
    return errorStatus(error);
  }
}

async function run(values: Values, io: CliIo): Promise<number> {
  if (values.help === true) {
    io.stdout.write((await import("./help.ts")).HELP);
    return 0;
  }
  if (values.version === true) {
    const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
    io.stdout.write(`${(JSON.parse(manifest) as { version: string }).version}\n`);
    return 0;
  }
  if (values.probe === true) return probe(values, io);
  const { commandByHand, printable } = await import("./argv.ts");
  const { chooseAccelerator } = await import("./accel.ts");
  const { machine: describe } = await import("./machine.ts");
  const { program } = values;
  const spec = machineFromOptions(values);
  const machine = describe(program === undefined ? spec : await withAgent(spec));
  if (values["dry-run"] === true) {
    const { accel } = await chooseAccelerator(machine, { signal: io.signal });
    const { findHostParts } = await import("./internal/host-parts.ts");
    const command = commandByHand(machine, accel, await findHostParts(machine));
    io.stdout.write(values.json === true ? `${JSON.stringify(command)}\n` : `${printable(command)}\n`);
    return 0;
  }
  const deadlines = {
    total: parseSeconds("--timeout", values.timeout),
    idle: parseSeconds("--idle-timeout", values["idle-timeout"]),
    firstOutput: parseSeconds("--output-timeout", values["output-timeout"]),
    init: parseSeconds("--init-timeout", values["init-timeout"]),
    ready: parseSeconds("--ready-timeout", values["ready-timeout"]),
  };
  const ready = parsePattern(values.ready);
  if (ready === undefined && deadlines.ready !== undefined)
    throw new UsageError("--ready-timeout waits for what --ready names", "Add --ready 'login:'");
  const options = { ready, signal: io.signal, deadlines, consoleLog: values["console-log"] };
  const { launch } = await import("./launch.ts");
  const { snapshot } = await import("./snapshot.ts");
  const vm =
    values.snapshot === true
      ? await (await snapshot(machine, { signal: io.signal, deadlines })).clone(options)
      : await launch(machine, options);
  try {
    await announce(vm, io);
    const completeRecords = await startRecords(vm, values, io);
    const status =
      program === undefined ? await attend(vm, values, io) : await runProgram(vm, program, values, io);
    await completeRecords();
    return status;
  } finally {
    await vm.kill();
  }
}

/** How to reach the machine. */
async function announce(vm: Vm, io: CliIo): Promise<void> {
  for (const { host, guest, protocol } of vm.forwards) {
    io.stderr.write(`${protocol} port ${host} of this host leads to port ${guest} of the guest\n`);
  }
  if (vm.machine.gdb !== undefined) {
    const { gdbCommand } = await import("./gdb.ts");
    const { printable } = await import("./argv.ts");
    const [binary = "", ...args] = gdbCommand(vm.machine);
    io.stderr.write(`the guest waits for a debugger: ${printable({ binary, args })}\n`);
  }
}

/** Sees a running machine to its end. */
async function attend(vm: Vm, values: Values, io: CliIo): Promise<number> {
  if (vm.kvm?.usable === false) io.stderr.write(`emulating, which is slower: ${vm.kvm.reason}\n`);
  const detach = values.interactive === true ? connectTerminal(vm, io.stdin) : undefined;
  const output = values.json === true ? io.stderr : io.stdout;
  output.on("error", () => void vm.kill());
  for await (const chunk of vm.console.readable) {
    if (!output.write(chunk))
      await Promise.race([new Promise((resolve) => output.once("drain", resolve)), vm.wait()]);
  }
  const result = await vm.wait();
  detach?.();
  await report(result, values, io);
  return io.signal.aborted ? signalStatus(io.signal) : resultStatus(result);
}

async function probe(values: Values, io: CliIo): Promise<number> {
  const { probeAccelerator } = await import("./accel.ts");
  const { accel } = machineFromOptions({ ...values, kernel: "" });
  const verdict = await probeAccelerator({
    accel: accel === "tcg" ? "tcg" : "kvm",
    cpu: values.cpu,
    arch: parseArch(values.arch),
    preset: parsePreset(values),
    binary: values.qemu,
    signal: io.signal,
  });
  const line = `${verdict.usable ? "usable" : "not usable"} (${verdict.shape}): ${verdict.reason}`;
  io.stdout.write(values.json === true ? `${JSON.stringify(verdict)}\n` : `${line}\n`);
  return verdict.usable ? 0 : 1;
}

/** Ctrl-], as in telnet and virsh. */
const ESCAPE = 0x1d;

/** Makes the terminal the guest's console; returns how to give it back. */
function connectTerminal(vm: Vm, stdin: Readable): () => void {
  const terminal = stdin as Partial<ReadStream>;
  terminal.setRawMode?.(true);
  stdin.on("data", (bytes: Uint8Array) => {
    if (terminal.isTTY === true && bytes.includes(ESCAPE)) void vm.kill();
    // A guest that has just ended takes no more input, and need not.
    else vm.console.write(bytes).catch(() => undefined);
  });
  return () => {
    terminal.setRawMode?.(false);
    stdin.pause();
  };
}
