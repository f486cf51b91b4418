import type { Duplex } from "node:stream";
import { QemuError } from "./errors.ts";
import { deferred } from "./internal/deferred.ts";
import { createLineDecoder } from "./internal/line-decoder.ts";
import { createReplay } from "./internal/replay.ts";

/** An asynchronous message of QEMU, e.g. `{ event: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } }`. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Seconds and microseconds of the host's clock, as QEMU stamped it. */
  readonly timestamp: { readonly seconds: number; readonly microseconds: number };
}

/** The commands whose shape is known here; every other command is passed through with `unknown` as its result. */
export interface QmpCommands {
  readonly "query-status": {
    readonly arguments: undefined;
    readonly return: { readonly status: string; readonly running: boolean };
  };
  readonly "human-monitor-command": {
    readonly arguments: { readonly "command-line": string };
    readonly return: string;
  };
  readonly screendump: {
    readonly arguments: { readonly filename: string; readonly format?: "ppm" | "png" };
    readonly return: object;
  };
  readonly cont: { readonly arguments: undefined; readonly return: object };
  readonly stop: { readonly arguments: undefined; readonly return: object };
  readonly quit: { readonly arguments: undefined; readonly return: object };
  readonly system_powerdown: { readonly arguments: undefined; readonly return: object };
  readonly system_reset: { readonly arguments: undefined; readonly return: object };
}

/** A QMP session that has negotiated its capabilities. */
export interface QmpClient {
  /** QEMU's version, e.g. `7.2.22`. */
  readonly version: string;
  /** Runs one command. Rejects with `QEMU_QMP_FAILED` (QEMU's own words) or `QEMU_QMP_CLOSED`. */
  execute<K extends keyof QmpCommands>(
    command: K,
    args?: QmpCommands[K]["arguments"],
  ): Promise<QmpCommands[K]["return"]>;
  execute(command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** All events since the connection was made, then live ones, until the connection closes. Any number of readers. */
  events(): AsyncIterable<QmpEvent>;
  /** Resolves when the connection has closed, for whatever reason. */
  readonly closed: Promise<void>;
  close(): void;
}

export interface QmpOptions {
  /** Longest message accepted, in bytes (default 32 MiB). */
  readonly maxMessage?: number | undefined;
}

interface Pending {
  readonly command: string;
  resolve(value: unknown): void;
  reject(error: QemuError): void;
}

/** Events kept for readers that come late; a reader further behind than this misses the oldest. */
const EVENT_HISTORY = 1024;

/**
 * Speaks QMP over any duplex stream: reads the greeting, negotiates capabilities, then hands out the client.
 * QEMU sends no event before the negotiation and the client keeps those that follow, so none is missed.
 * Protocol: QEMU's docs/interop/qmp-spec.rst.
 *
 * @example
 * ```ts no-run
 * import { connect } from "node:net";
 * import { connectQmp } from "@justenough/qemu/qmp";
 * const qmp = await connectQmp(connect("/run/vm/qmp.sock"));
 * console.log((await qmp.execute("query-status")).status);
 * ```
 */
export async function connectQmp(stream: Duplex, options: QmpOptions = {}): Promise<QmpClient> {
  const events = createReplay<QmpEvent>(EVENT_HISTORY);
  const pending = new Map<string, Pending>();
  const greeting = deferred<string>();
  const closed = deferred<void>();
  let nextId = 0;
  let failure: QemuError | undefined;

  const end = (error: QemuError): void => {
    if (failure !== undefined) return;
    failure = error;
    greeting.reject(error);
    for (const request of pending.values()) {
      request.reject(
        new QemuError(error.code, `QMP command "${request.command}" got no answer: ${error.message}`, {
          cause: error,
        }),
      );
    }
    pending.clear();
    events.end();
    stream.destroy();
    closed.resolve();
  };

  const receive = (line: string): void => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch (error) {
      end(
        new QemuError("QEMU_QMP_PROTOCOL", `QMP peer sent a line that is no JSON: ${line.slice(0, 80)}`, {
          cause: error,
        }),
      );
      return;
    }
    if (!isRecord(message)) return;
    if (isRecord(message["QMP"])) {
      greeting.resolve(versionOf(message["QMP"]));
    } else if (typeof message["event"] === "string") {
      events.push(toEvent(message, message["event"]));
    } else {
      const request = pending.get(String(message["id"]));
      if (request === undefined) return;
      pending.delete(String(message["id"]));
      if ("return" in message) request.resolve(message["return"]);
      else request.reject(refusal(request.command, message["error"]));
    }
  };

  const decoder = createLineDecoder(options.maxMessage ?? 32 * 1024 * 1024);
  stream.on("data", (chunk: Uint8Array) => {
    const lines = decoder.push(chunk);
    if (lines === undefined) {
      end(new QemuError("QEMU_QMP_PROTOCOL", "QMP peer sent a message longer than the limit"));
      return;
    }
    for (const line of lines) if (line.trim() !== "" && failure === undefined) receive(line);
  });
  const onClose = (cause?: unknown): void => {
    end(new QemuError("QEMU_QMP_CLOSED", "The QMP connection is closed", { cause }));
  };
  stream.on("error", onClose);
  stream.on("end", () => onClose());
  stream.on("close", () => onClose());

  const execute = (command: string, args?: Readonly<Record<string, unknown>>): Promise<unknown> => {
    if (failure !== undefined) return Promise.reject(failure);
    const id = String((nextId += 1));
    const { promise, resolve, reject } = deferred<unknown>();
    pending.set(id, { command, resolve, reject });
    stream.write(
      `${JSON.stringify(args === undefined ? { execute: command, id } : { execute: command, arguments: args, id })}\n`,
    );
    return promise;
  };

  const version = await greeting.promise;
  await execute("qmp_capabilities");
  return {
    version,
    execute,
    events: () => events.read(),
    closed: closed.promise,
    close: () => onClose(),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function versionOf(qmp: Record<string, unknown>): string {
  const version = isRecord(qmp["version"]) && isRecord(qmp["version"]["qemu"]) ? qmp["version"]["qemu"] : {};
  return ["major", "minor", "micro"].map((part) => Number(version[part] ?? 0)).join(".");
}

function toEvent(message: Record<string, unknown>, event: string): QmpEvent {
  const stamp = isRecord(message["timestamp"]) ? message["timestamp"] : {};
  return {
    event,
    data: isRecord(message["data"]) ? message["data"] : {},
    timestamp: { seconds: Number(stamp["seconds"] ?? 0), microseconds: Number(stamp["microseconds"] ?? 0) },
  };
}

function refusal(command: string, error: unknown): QemuError {
  const words = isRecord(error) ? (error["desc"] ?? error["class"]) : undefined;
  const description = typeof words === "string" ? words : "it gave no reason";
  return new QemuError("QEMU_QMP_FAILED", `QEMU refused "${command}": ${description}`);
}
