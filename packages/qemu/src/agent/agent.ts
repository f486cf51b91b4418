import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { constants } from "node:os";
import { pipeline } from "node:stream/promises";
import { QemuError } from "../errors.ts";
import { FrameType } from "./frame.ts";
import { startJob, type Job, type JobEnd, type JobRequest } from "./job.ts";
import type { ExecUsage } from "./usage.ts";

export type { ExecUsage };
import { encodeRecords, invalid } from "./records.ts";
import { openSession, type AgentChannel, type AgentPort, type Session } from "./session.ts";

export interface ExecOptions {
  /** Added to the agent's PATH, HOME and TERM. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Default `/`. */
  readonly cwd?: string | undefined;
  /** What the program reads. Default: nothing, `/dev/null`. */
  readonly stdin?: string | Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Aborting kills the program, with all of its session, and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gets the output as it comes; it is not collected then. The guest waits for the promises that are returned. */
  readonly onStdout?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
  readonly onStderr?: ((bytes: Uint8Array) => void | Promise<void>) | undefined;
  /** Milliseconds after which the program is killed and `QEMU_AGENT_TIMEOUT` thrown. Default: none. */
  readonly timeout?: number | undefined;
}

/** How a program ended: by itself with a status, or by a signal. */
export type ExecEnd =
  | { readonly code: number; readonly signal?: undefined }
  | { readonly code?: undefined; readonly signal: string };

export type ExecResult = ExecEnd & {
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
  /** From start to end, by the guest's clock. */
  readonly ms: number;
  readonly usage: ExecUsage;
};

export interface TransferOptions {
  /** Aborting ends the transfer. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The guest's agent. Each method rejects with `QEMU_AGENT_LOST` when the machine ends before the end was told, with
 * `QEMU_AGENT_DAMAGED` when bytes were lost or changed on the way, and with `QEMU_AGENT_FAILED` when the guest can't do it.
 */
export interface Agent {
  readonly channel: AgentChannel;
  /** Runs a program, whichever way it ends. Up to 32 jobs at once. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** A program's standard output as it comes, such as a tar archive. Throws `QEMU_AGENT_FAILED` unless it ends with 0. */
  output(
    argv: readonly string[],
    options?: Omit<ExecOptions, "onStdout" | "onStderr">,
  ): AsyncIterable<Uint8Array>;
  readFile(path: string, options?: TransferOptions): AsyncIterable<Uint8Array>;
  /** Makes or overwrites a file. `mode` is that of a new one, default 0o644. */
  writeFile(
    path: string,
    content: string | Uint8Array | AsyncIterable<Uint8Array>,
    options?: TransferOptions & { readonly mode?: number | undefined },
  ): Promise<void>;
  /** Copies a file of the guest to the host; there is none until it is complete. */
  copyOut(path: string, to: string, options?: TransferOptions): Promise<void>;
  /**
   * Makes a named pipe in the guest and gives what programs there write to it, until the last one closes it. Whether they
   * came to a good end only their exit status tells.
   */
  results(path: string, options?: TransferOptions): AsyncIterable<Uint8Array>;
  /** Mixes entropy (16 to 512 bytes) into the kernel's random numbers and sets its clock: for a guest that is a copy of another. */
  reseed(entropy: Uint8Array, time: Date): Promise<void>;
  /** Writes back what is in memory and switches off; resolves when the agent has agreed. How the machine ends is told by `vm.wait()`. */
  poweroff(): Promise<void>;
}

export interface AgentOptions {
  /** Milliseconds until the agent must have answered. Default 60,000, since the guest may still be booting. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Connects to the agent that serves at the other end of a port; of several ports, the one where it answers first. A
 * connection made anew ends what an earlier one has asked for.
 *
 * @throws QemuError `QEMU_AGENT_SILENT`, or `QEMU_AGENT_LOST` when the port ends before
 * @example
 * ```ts no-run
 * import { agentSegment, connectAgent, launch } from "@justenough/qemu";
 * const initrd = [await agentSegment()];
 * await using vm = await launch({ kernel: "bzImage", initrd, cmdline: "console=ttyS0 rdinit=/agent", ports: ["agent"] });
 * const agent = await connectAgent(vm.port("agent"));
 * for await (const bytes of agent.readFile("/proc/version")) process.stdout.write(bytes);
 * await agent.poweroff();
 * ```
 */
export async function connectAgent(
  port: AgentPort | readonly AgentPort[],
  options: AgentOptions = {},
): Promise<Agent> {
  const ports = Array.isArray(port) ? (port as readonly AgentPort[]) : [port as AgentPort];
  const session = await openSession(ports, { timeout: options.timeout ?? 60_000, signal: options.signal });
  return {
    channel: session.channel,
    exec: (argv, how = {}) => exec(session, argv, how),
    output: (argv, how = {}) => output(session, argv, how),
    readFile: (path, transfer) => read(session, path, [], transfer),
    writeFile: (path, content, transfer = {}) => writeFile(session, path, content, transfer),
    copyOut: (path, to, transfer) => copyOut(read(session, path, [], transfer), to),
    results: (path, transfer) => read(session, path, [["fifo", "1"]], transfer),
    reseed: (entropy, time) => reseed(session, entropy, time),
    poweroff: async () => {
      await run(session, { type: FrameType.poweroff, payload: new Uint8Array(0), what: "power off" });
      session.send(FrameType.bye, 0);
    },
  };
}

async function copyOut(content: AsyncIterable<Uint8Array>, to: string): Promise<void> {
  const part = `${to}.part`;
  try {
    await pipeline(content, createWriteStream(part));
    await rename(part, to);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

function execRequest(argv: readonly string[], options: ExecOptions): JobRequest {
  if (argv.length === 0) throw invalid("there is no program to run");
  const records: [string, string][] = [
    ...argv.map((word): [string, string] => ["arg", word]),
    ...Object.entries(options.env ?? {}).map(([name, value]): [string, string] => {
      if (name === "" || name.includes("="))
        throw invalid(`"${name}" is no name for an environment variable`);
      return ["env", `${name}=${value}`];
    }),
  ];
  if (options.cwd !== undefined) records.push(["cwd", options.cwd]);
  if (options.stdin === undefined) records.push(["stdin", "null"]);
  return {
    type: FrameType.exec,
    payload: encodeRecords(records),
    what: `run "${argv[0]}"`,
    signal: options.signal,
    timeout: options.timeout,
  };
}

function start(session: Session, request: JobRequest, input?: ExecOptions["stdin"]): Job {
  request.signal?.throwIfAborted();
  const job = startJob(session, request);
  if (input !== undefined) void job.input(typeof input === "string" ? Buffer.from(input) : input);
  return job;
}

async function run(session: Session, request: JobRequest, input?: ExecOptions["stdin"]): Promise<JobEnd> {
  return start(session, request, input).ended;
}

async function exec(session: Session, argv: readonly string[], options: ExecOptions): Promise<ExecResult> {
  const [stdout, stderr]: [Uint8Array[], Uint8Array[]] = [[], []];
  const end = await run(
    session,
    {
      ...execRequest(argv, options),
      onOutput: options.onStdout ?? ((bytes) => void stdout.push(bytes)),
      onErrors: options.onStderr ?? ((bytes) => void stderr.push(bytes)),
    },
    options.stdin,
  );
  return {
    ...endOf(end),
    stdout: Buffer.concat(stdout),
    stderr: Buffer.concat(stderr),
    ms: end.ms,
    usage: end.usage,
  };
}

function endOf({ how, value }: JobEnd): ExecEnd {
  if (how !== "signal") return { code: value };
  const name = Object.entries(constants.signals).find(([, number]) => number === value)?.[0];
  return { signal: name ?? `SIG${value}` };
}

/** Output for errors' sake: its last part. */
const KEEP_STDERR = 4096;

async function* output(
  session: Session,
  argv: readonly string[],
  options: ExecOptions,
): AsyncGenerator<Uint8Array> {
  let stderr = Buffer.alloc(0);
  const request: JobRequest = {
    ...execRequest(argv, options),
    onErrors: (bytes) => {
      stderr = Buffer.concat([stderr, bytes]).subarray(-KEEP_STDERR);
    },
  };
  const end = endOf(yield* pull(session, request, options.stdin));
  if (end.code === 0) return;
  const how = end.signal === undefined ? `status ${end.code}` : end.signal;
  throw new QemuError(
    "QEMU_AGENT_FAILED",
    `"${argv[0]}" has ended with ${how} in the guest: ${stderr.toString("utf8").trim()}`,
  );
}

async function* read(
  session: Session,
  path: string,
  more: readonly [string, string][],
  options: TransferOptions = {},
): AsyncGenerator<Uint8Array> {
  yield* pull(session, {
    type: FrameType.read,
    payload: encodeRecords([["path", path], ...more]),
    what: `read "${path}"`,
    signal: options.signal,
  });
}

/** A job's output, taken by whoever iterates; what has not been taken is not acknowledged. */
async function* pull(
  session: Session,
  request: JobRequest,
  input?: ExecOptions["stdin"],
): AsyncGenerator<Uint8Array, JobEnd> {
  const queue: { readonly bytes: Uint8Array; readonly taken: () => void }[] = [];
  let wake = (): void => undefined;
  let ended = false;
  const job = start(
    session,
    {
      ...request,
      onOutput: (bytes) =>
        new Promise<void>((taken) => {
          queue.push({ bytes, taken });
          wake();
        }),
    },
    input,
  );
  const onEnd = (): void => {
    ended = true;
    wake();
  };
  job.ended.then(onEnd, onEnd);
  try {
    for (;;) {
      const next = queue.shift();
      if (next !== undefined) {
        yield next.bytes;
        next.taken();
      } else if (ended) {
        return await job.ended;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    job.abandon(
      new QemuError("QEMU_AGENT_LOST", `Nobody has taken the rest of what it takes to ${request.what}`),
    );
  }
}

async function writeFile(
  session: Session,
  path: string,
  content: string | Uint8Array | AsyncIterable<Uint8Array>,
  options: TransferOptions & { readonly mode?: number | undefined },
): Promise<void> {
  const records: [string, string][] = [["path", path]];
  if (options.mode !== undefined) records.push(["mode", options.mode.toString(8)]);
  const request = {
    type: FrameType.write,
    payload: encodeRecords(records),
    what: `write "${path}"`,
    signal: options.signal,
  };
  await run(session, request, content);
}

async function reseed(session: Session, entropy: Uint8Array, time: Date): Promise<void> {
  if (entropy.length < 16 || entropy.length > 512)
    throw invalid(`${entropy.length} bytes of entropy were given, wanted are 16 to 512`);
  const clock = Buffer.alloc(16);
  clock.writeBigUInt64LE(BigInt(Math.floor(time.getTime() / 1000)), 0);
  clock.writeBigUInt64LE(BigInt(time.getTime() % 1000) * 1_000_000n, 8);
  await run(session, { type: FrameType.reseed, payload: Buffer.concat([clock, entropy]), what: "reseed" });
}
