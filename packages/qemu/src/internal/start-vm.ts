import type { AccelVerdict } from "../accel.ts";
import { connectAgent, type Agent, type AgentOptions } from "../agent/agent.ts";
import { CONSOLE_FD, FIRST_PORT_FD, FIRST_VIRTIO_FD, QMP_FD, type Command } from "../argv.ts";
import { QemuError } from "../errors.ts";
import { actualForwards } from "./forwards.ts";
import type { Machine } from "../machine.ts";
import { connectQmp, type QmpClient } from "../qmp.ts";
import { describeResult, type BootResult } from "../result.ts";
import { createScreen } from "../screen.ts";
import { createSerialPort, type SerialPort } from "../serial-port.ts";
import { createVirtioPort, type VirtioPort } from "../virtio-port.ts";
import type { LaunchOptions, Vm } from "../vm.ts";
import { spawnGuarded, type Guard, type GuardedChild } from "./guard.ts";
import { networkCards, plugIn } from "./networks.ts";
import { createOutputLog, type OutputLog } from "./output-log.ts";
import { createRunDirectory } from "./run-directory.ts";
import { supervise } from "./supervise.ts";
import { timerLimit } from "./timer-limit.ts";

/** What makes a machine that has not run yet the copy of another. */
export interface Restore {
  /** The snapshot's key. */
  readonly key: string;
  load(qmp: QmpClient): Promise<void>;
}

export interface StartRequest {
  readonly machine: Machine;
  readonly command: Command;
  readonly printable: string;
  readonly accel: "kvm" | "tcg";
  readonly verdict: AccelVerdict | undefined;
  readonly guard: Guard;
  readonly options: LaunchOptions;
  /** Puts the guest into the state of a snapshot. */
  readonly restore?: Restore | undefined;
  /** Called after the machine's end. */
  readonly cleanUp: () => Promise<void>;
}

const KEEP_OUTPUT = 16 * 1024 * 1024;
const KEEP_STDERR = 64 * 1024;
const GREETING_MS = 30_000;
/** As in assets/agent/ports.c. */
const AGENT_PORT = "agent";

/** Spawns QEMU, connects to it and lets the guest run. When this rejects, nothing is left of it. */
export async function startVm(request: StartRequest): Promise<Vm> {
  const { machine, command, options, verdict } = request;
  const started = performance.now();
  const now = (): number => performance.now() - started;
  const child = spawnGuarded(
    request.guard,
    [command.binary, ...command.args],
    2 + machine.ports.length,
    machine.virtioPorts.length + networkCards(machine).length,
  );

  const errors = createOutputLog("QEMU's messages", KEEP_STDERR);
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (bytes: Uint8Array) => errors.push(bytes, now()));
  const stderr = (): string => Buffer.from(errors.snapshot()).toString("utf8").trim();

  const keep = options.keepOutput ?? KEEP_OUTPUT;
  const logs = ["console", ...machine.ports].map((name, index) =>
    collect(createOutputLog(name, keep), child, index === 0 ? CONSOLE_FD : FIRST_PORT_FD + index - 1, now),
  );
  const ports = logs.map(({ log, name, stream }) => createSerialPort(name, log, stream));

  let onActivity = (): void => undefined;
  const virtioPorts = machine.virtioPorts.map((name, index) =>
    createVirtioPort(name, child.channel(FIRST_VIRTIO_FD + index), () => onActivity()),
  );
  child.process.once("exit", () => virtioPorts.forEach((port) => port.drain()));

  const qmp = await connect(child, request, stderr);
  const scratch = lazyScratch();
  const screen = createScreen(qmp, machine, scratch.make, now);
  const supervisor = supervise({
    machine,
    child,
    qmp,
    logs: logs.map(({ log }) => log),
    screen,
    options,
    stderr,
    now,
    tail: () => ports[0]?.tail() ?? [],
    cleanUp: async () => {
      await screen.written();
      await Promise.all([scratch.remove(), request.cleanUp()]);
    },
    facts: {
      arch: machine.arch,
      accel: request.accel,
      ...(verdict === undefined ? {} : { kvm: verdict }),
      qemuVersion: qmp.version,
      command: request.printable,
      ...(request.restore === undefined ? {} : { clone: request.restore.key }),
    },
  });
  onActivity = supervisor.activity;
  let forwards;
  try {
    plugIn(child, machine, options.networks);
    await request.restore?.load(qmp);
    await supervisor.run();
    forwards = await actualForwards(machine, qmp);
  } catch (error) {
    await supervisor.kill("caller");
    options.signal?.throwIfAborted();
    throw error;
  }
  const port = (name: string): SerialPort => named("serial", ports, name);
  const virtioPort = (name: string): VirtioPort => named("virtio", virtioPorts, name);
  let agent: Promise<Agent> | undefined;
  const connectOwnAgent = (agentOptions: AgentOptions = {}): Promise<Agent> => {
    const own = [...virtioPorts, ...ports].filter(({ name }) => name === AGENT_PORT);
    const { name, readable, write } = port("console");
    // The agent of a copy has said so in the original.
    const console = { name, readable, write, agentFirst: request.restore === undefined };
    agent ??= connectAgent([...own, console], agentOptions).catch(async (error: unknown) => {
      agent = undefined;
      throw await whyNoAgent(error, supervisor.result);
    });
    return agent;
  };
  return {
    machine,
    command,
    printable: request.printable,
    accel: request.accel,
    ...(verdict === undefined ? {} : { kvm: verdict }),
    qemuVersion: qmp.version,
    pid: child.process.pid as number,
    console: port("console"),
    port,
    virtioPort,
    agent: async (agentOptions) => connectOwnAgent(agentOptions),
    qmp,
    screen,
    forwards,
    wait: () => supervisor.result,
    kill: () => supervisor.kill("caller"),
    [Symbol.asyncDispose]: async () => {
      await supervisor.kill("caller");
    },
  };
}

/** What became of the machine tells more than that its agent is gone. */
async function whyNoAgent(error: unknown, end: Promise<BootResult>): Promise<unknown> {
  if (!(error instanceof QemuError) || error.code !== "QEMU_AGENT_LOST") return error;
  const { message, hint } = describeResult(await end);
  return new QemuError("QEMU_AGENT_LOST", `The guest's agent has not answered. ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause: error,
  });
}

function named<T extends { readonly name: string }>(kind: string, ports: readonly T[], name: string): T {
  const found = ports.find((port) => port.name === name);
  if (found !== undefined) return found;
  const names = ports.length === 0 ? "none" : ports.map((port) => `"${port.name}"`).join(", ");
  throw new QemuError("QEMU_PORT_UNKNOWN", `There is no ${kind} port "${name}"; the machine has ${names}`);
}

function collect(
  log: OutputLog,
  child: GuardedChild,
  fd: number,
  now: () => number,
): { log: OutputLog; name: string; stream: ReturnType<GuardedChild["channel"]> } {
  const stream = child.channel(fd);
  stream.on("data", (bytes: Uint8Array) => log.push(bytes, now()));
  return { log, name: log.name, stream };
}

async function connect(child: GuardedChild, request: StartRequest, stderr: () => string): Promise<QmpClient> {
  const { signal } = request.options;
  const kill = (): void => child.kill();
  const limit = request.options.deadlines?.spawn ?? GREETING_MS;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    kill();
  }, timerLimit(limit));
  signal?.addEventListener("abort", kill, { once: true });
  if (signal?.aborted === true) kill();
  try {
    return await connectQmp(child.channel(QMP_FD));
  } catch (error) {
    child.kill();
    const { code, signal: by } = await child.closed;
    signal?.throwIfAborted();
    const how = late ? `it did not answer within ${limit / 1000} s` : by === null ? `exit code ${code}` : by;
    throw new QemuError(
      "QEMU_START_FAILED",
      `QEMU did not start (${how}): ${stderr() === "" ? "it printed nothing" : stderr()}`,
      {
        hint: /firmware "opensbi/.test(stderr())
          ? "Install it: apt-get install opensbi (Debian, Ubuntu)"
          : `Run it by hand: ${request.printable}`,
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  }
}

/** A directory for pictures, made when the first one is taken. */
function lazyScratch(): { make: () => Promise<string>; remove: () => Promise<void> } {
  let directory: ReturnType<typeof createRunDirectory> | undefined;
  return {
    make: async () => (await (directory ??= createRunDirectory())).path,
    remove: async () => (await directory)?.remove(),
  };
}
