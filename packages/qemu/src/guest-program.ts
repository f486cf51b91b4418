import { once } from "node:events";
import { constants } from "node:os";
import type { ReadStream } from "node:tty";
import type { Writable } from "node:stream";
import type { ExecResult } from "./agent/agent.ts";
import { endOf, jsonOf, report, resultStatus, type CliIo } from "./cli-result.ts";
import { QemuError } from "./errors.ts";
import type { MachineSpec } from "./machine.ts";
import type { Values } from "./options.ts";
import type { Vm } from "./vm.ts";

/** The machine with the agent as its init. */
export async function withAgent(spec: MachineSpec): Promise<MachineSpec> {
  const { agentSegment } = await import("./agent/segment.ts");
  const { serialDevices } = await import("./board.ts");
  const arch = spec.arch ?? "x86_64";
  const cmdline = spec.cmdline ?? `console=${serialDevices(arch).console}`;
  return {
    ...spec,
    initrd: [...(spec.initrd ?? []), await agentSegment({ arch })],
    cmdline: /\b(?:rd)?init=/.test(cmdline) ? cmdline : `${cmdline} rdinit=/agent`,
    ports: ["agent"],
    virtioPorts: ["agent"],
  };
}

/** Runs a program in the guest: its output is ours, and its exit status. */
export async function runProgram(
  vm: Vm,
  program: readonly string[],
  values: Values,
  io: CliIo,
): Promise<number> {
  const output = values.json === true ? io.stderr : io.stdout;
  let end: ExecResult;
  try {
    const agent = await vm.agent({ signal: io.signal });
    end = await agent.exec(program, {
      signal: io.signal,
      stdin: (io.stdin as Partial<ReadStream>).isTTY === true ? undefined : io.stdin,
      onStdout: (bytes) => write(output, bytes),
      onStderr: (bytes) => write(io.stderr, bytes),
    });
    await agent.poweroff();
  } catch (error) {
    // What became of the machine tells more than that its agent is gone.
    if (!(error instanceof QemuError) || error.code !== "QEMU_AGENT_LOST") throw error;
    // An agent that has only started anew leaves a machine that would run for ever.
    const result = await endOf(vm);
    for (const line of result.tail.slice(-12)) io.stderr.write(`  ${line}\n`);
    await report(result, values, io);
    return resultStatus(result) === 0 ? 1 : resultStatus(result);
  }
  const { code, signal: by, ms, usage } = end;
  if (values.json === true)
    io.stdout.write(`${jsonOf(await vm.wait(), { program: { code, signal: by, ms, usage } })}\n`);
  return by === undefined ? code : 128 + signalNumber(by);
}

/** Linux's real-time signals, from 32 on, have no names: "SIG40". */
function signalNumber(signal: string): number {
  return (constants.signals as Readonly<Record<string, number>>)[signal] ?? Number(signal.slice(3));
}

async function write(stream: Writable, bytes: Uint8Array): Promise<void> {
  if (!stream.write(bytes)) await once(stream, "drain");
}
