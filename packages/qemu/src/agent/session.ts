import { randomBytes } from "node:crypto";
import { QemuError } from "../errors.ts";
import { deferred } from "../internal/deferred.ts";
import { timerLimit } from "../internal/timer-limit.ts";
import { createFrameDecoder, damaged, encodeFrame, FrameType, type Frame } from "./frame.ts";

/** What an agent is reached through: a serial port, a virtio port, or anything alike. */
export interface AgentPort {
  readonly name: string;
  readonly readable: AsyncIterable<Uint8Array>;
  write(data: Uint8Array): Promise<void>;
  /** Nothing is sent before the agent has said that it is there: on a console, a shell may be listening. */
  readonly agentFirst?: boolean | undefined;
}

/** `console` is the only serial port there is, which whoever else writes to damages the connection. */
export type AgentChannel = "socket" | "serial" | "virtio" | "console";

/** The frames of one job, as they come. */
export interface JobListener {
  frame(frame: Frame): void;
  /** The connection is gone, and the job with it. */
  lost(error: QemuError): void;
}

/** A connection with an agent that has answered; jobs are told apart by their numbers. */
export interface Session {
  readonly channel: AgentChannel;
  /** Bytes that the agent takes ahead for each job. */
  readonly inputWindow: number;
  /** A new job's number; it is listened to until {@link forget}. Throws when the connection is gone. */
  listen(listener: JobListener): number;
  forget(job: number): void;
  send(type: number, job: number, payload?: Uint8Array): void;
}

export interface SessionOptions {
  /** Milliseconds until an agent must have answered. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

const VERSION = 2;
const CHANNELS: readonly (AgentChannel | undefined)[] = ["socket", "serial", "virtio", "console"];
/** A hello may be lost while nobody has opened the port. */
const HELLO_EVERY_MS = 250;
/** What follows shows that something before it was lost. */
const PING_EVERY_MS = 5000;
const NOTHING = new Uint8Array(0);

/**
 * Greets until the agent answers, on one of the ports.
 *
 * @throws QemuError `QEMU_AGENT_SILENT`, or `QEMU_AGENT_LOST` when the ports end before
 */
export async function openSession(ports: readonly AgentPort[], options: SessionOptions): Promise<Session> {
  options.signal?.throwIfAborted();
  const opened = deferred<Session>();
  const nonce = randomBytes(8);
  const greeted = new AbortController();
  let open = ports.length;
  const closed = (error: QemuError): void => {
    open -= 1;
    if (open === 0) opened.reject(error);
  };
  for (const port of ports) greet(port, nonce, greeted.signal, opened.resolve, closed);
  const onAbort = (): void => opened.reject(options.signal?.reason);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const names = ports.map(({ name }) => `"${name}"`).join(" and ");
  const timer = setTimeout(
    () =>
      opened.reject(
        new QemuError(
          "QEMU_AGENT_SILENT",
          `No agent has answered on port ${names} within ${options.timeout} ms`,
          {
            hint: "Is it started, by the guest's init or by rdinit=/agent? The console tells how far the boot went",
          },
        ),
      ),
    timerLimit(options.timeout),
  );
  try {
    return await opened.promise;
  } finally {
    greeted.abort();
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", onAbort);
  }
}

function greet(
  port: AgentPort,
  nonce: Uint8Array,
  greeted: AbortSignal,
  onSession: (session: Session) => void,
  onClosed: (error: QemuError) => void,
): void {
  const decoder = createFrameDecoder();
  const jobs = new Map<number, JobListener>();
  let lastJob = 0;
  let sent = 1;
  let received: number | undefined;
  let failure: QemuError | undefined;
  let ping: NodeJS.Timeout | undefined;

  const write = (frame: Frame): void => {
    // Whoever waits for an answer learns of the end from the reading side.
    port.write(encodeFrame(frame)).catch(() => undefined);
  };
  const hello = (): void => write({ type: FrameType.hello, job: 0, sequence: 0, payload: nonce });
  const send = (type: number, job: number, payload: Uint8Array = NOTHING): void => {
    if (failure === undefined) write({ type, job, sequence: sent++, payload });
  };

  const fail = (error: QemuError): void => {
    failure = error;
    clearInterval(ping);
    for (const listener of jobs.values()) listener.lost(error);
    jobs.clear();
  };

  const session = (welcome: Buffer): Session => ({
    channel: CHANNELS[welcome.readUInt32LE(12)] ?? "socket",
    inputWindow: welcome.readUInt32LE(16),
    listen: (listener) => {
      if (failure !== undefined) throw failure;
      ping ??= setInterval(() => send(FrameType.ping, 0), PING_EVERY_MS);
      lastJob += 1;
      jobs.set(lastJob, listener);
      return lastJob;
    },
    forget: (job) => {
      jobs.delete(job);
      if (jobs.size > 0) return;
      clearInterval(ping);
      ping = undefined;
    },
    send,
  });

  const inSession = (frame: Frame): void => {
    if (frame.type === FrameType.ready)
      throw new QemuError("QEMU_AGENT_LOST", "The guest's agent has started anew, its jobs are gone");
    if (frame.sequence !== received) throw damaged(`frame ${received} is missing, ${frame.sequence} came`);
    received += 1;
    if (frame.type === FrameType.damaged)
      throw damaged(`the agent says: ${Buffer.from(frame.payload).toString("utf8")}`);
    // Frames of a job that has ended by itself may still come for one that nobody listens to.
    if (
      frame.type === FrameType.output ||
      frame.type === FrameType.errors ||
      frame.type === FrameType.end ||
      frame.type === FrameType.credit
    )
      jobs.get(frame.job)?.frame(frame);
  };

  const beforeSession = (frame: Frame): void => {
    if (frame.type === FrameType.ready && !greeted.aborted) hello();
    const payload = Buffer.from(frame.payload);
    if (frame.type !== FrameType.welcome || payload.length < 20 || !payload.subarray(0, 8).equals(nonce))
      return;
    if (payload.readUInt32LE(8) !== VERSION)
      throw new QemuError(
        "QEMU_AGENT_DAMAGED",
        `The agent speaks version ${payload.readUInt32LE(8)}, known is ${VERSION}`,
      );
    received = frame.sequence + 1;
    onSession(session(payload));
  };

  const read = async (): Promise<void> => {
    for await (const bytes of port.readable) {
      decoder.push(bytes);
      for (;;) {
        const frame = decoder.next(received !== undefined);
        if (frame === undefined) break;
        if (received === undefined) beforeSession(frame);
        else inSession(frame);
      }
    }
    throw new QemuError(
      "QEMU_AGENT_LOST",
      `Port "${port.name}" has ended, and what the agent had to do is not done`,
    );
  };

  let repeat: NodeJS.Timeout | undefined;
  if (port.agentFirst !== true) {
    hello();
    repeat = setInterval(hello, HELLO_EVERY_MS);
  }
  greeted.addEventListener("abort", () => clearInterval(repeat), { once: true });
  read().catch((error: unknown) => {
    clearInterval(repeat);
    const known =
      error instanceof QemuError
        ? error
        : new QemuError("QEMU_AGENT_LOST", `Port "${port.name}" can't be read: ${String(error)}`, {
            cause: error,
          });
    fail(known);
    onClosed(known);
  });
}
