import type { Duplex } from "node:stream";
import { QemuError } from "./errors.ts";
import { deferred } from "./internal/deferred.ts";
import { createLineDecoder } from "./internal/line-decoder.ts";
import { isRecord } from "./internal/is-record.ts";
import { createReplay } from "./internal/replay.ts";
import type { QmpCommands } from "./qmp-commands.ts";
import type { QmpEvent } from "./qmp-events.ts";
import { readQmpSchema, type QmpSchema } from "./qmp-schema.ts";

export type { QmpCommands, QmpJobStatus, QmpMigrationStatus, QmpRunState } from "./qmp-commands.ts";
export type { QmpEvent, QmpEvents, QmpShutdownCause } from "./qmp-events.ts";

export interface QmpExecuteOptions {
  /**
   * Overtakes the commands under way, even one that hangs: for `yank`, `migrate-pause` and what else QEMU's schema allows.
   * Needs {@link QmpClient.outOfBand}.
   */
  readonly outOfBand?: boolean | undefined;
}

/** A QMP session that has negotiated its capabilities. */
export interface QmpClient {
  /** QEMU's version, e.g. `7.2.22`. */
  readonly version: string;
  /** QEMU lets commands overtake others. */
  readonly outOfBand: boolean;
  /** Runs one command. Rejects with `QEMU_QMP_FAILED` (QEMU's own words and class) or `QEMU_QMP_CLOSED`. */
  execute<K extends keyof QmpCommands>(
    command: K,
    args?: QmpCommands[K]["arguments"],
    options?: QmpExecuteOptions,
  ): Promise<QmpCommands[K]["return"]>;
  execute(
    command: string,
    args?: Readonly<Record<string, unknown>>,
    options?: QmpExecuteOptions,
  ): Promise<unknown>;
  /**
   * The first such event from now on. Call it before the command that brings the event about, and await it after: then
   * none is missed and none is an older one's. Rejects with `QEMU_QMP_CLOSED`, or with the signal's reason.
   */
  next<Name extends string>(
    event: Name,
    options?: {
      readonly where?: ((data: QmpEvent<Name>["data"]) => boolean) | undefined;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<QmpEvent<Name>>;
  /**
   * Whether this QEMU has a command or an event, and a part of it: `supports("command", "screendump", "format", "png")`.
   * QEMU is asked once.
   */
  supports: (...what: Parameters<QmpSchema["supports"]>) => Promise<boolean>;
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

interface Watcher {
  offer(event: QmpEvent): void;
  end(error: QemuError): void;
}

interface Pending {
  readonly command: string;
  /** It is out of band. */
  readonly overtakes: boolean;
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
 * const gone = qmp.next("DEVICE_DELETED", { where: ({ device }) => device === "disk1" });
 * await qmp.execute("device_del", { id: "disk1" });
 * await gone;
 * ```
 */
export async function connectQmp(stream: Duplex, options: QmpOptions = {}): Promise<QmpClient> {
  const events = createReplay<QmpEvent>(EVENT_HISTORY);
  const pending = new Map<string, Pending>();
  const watchers = new Set<Watcher>();
  const greeting = deferred<Greeting>();
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
    for (const watcher of watchers) watcher.end(error);
    events.end();
    stream.destroy();
    closed.resolve();
  };

  const oldestInBand = (): string | undefined => {
    for (const [id, { overtakes }] of pending) if (!overtakes) return id;
    return undefined;
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
      greeting.resolve(readGreeting(message["QMP"]));
    } else if (typeof message["event"] === "string") {
      const event = toEvent(message, message["event"]);
      events.push(event);
      for (const watcher of watchers) watcher.offer(event);
    } else {
      // What QEMU cannot parse it refuses without an id, in its turn.
      const unread = message["id"] === undefined && "error" in message;
      const id = unread ? oldestInBand() : message["id"];
      const request = typeof id === "string" ? pending.get(id) : undefined;
      if (request === undefined) return;
      pending.delete(id as string);
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

  let outOfBand = false;
  const execute = (
    command: string,
    args?: Readonly<Record<string, unknown>>,
    { outOfBand: overtake = false }: QmpExecuteOptions = {},
  ): Promise<unknown> => {
    if (failure !== undefined) return Promise.reject(failure);
    if (overtake && !outOfBand)
      return Promise.reject(
        new QemuError("QEMU_QMP_FAILED", `QEMU offers no out-of-band execution, for "${command}"`),
      );
    const id = String((nextId += 1));
    const name = overtake ? "exec-oob" : "execute";
    let text: string;
    try {
      text = JSON.stringify({ [name]: command, ...(args === undefined ? {} : { arguments: args }), id });
    } catch (error) {
      const words = `The arguments of QMP command "${command}" are no JSON: ${(error as Error).message}`;
      return Promise.reject(new QemuError("QEMU_QMP_FAILED", words, { cause: error }));
    }
    const { promise, resolve, reject } = deferred<unknown>();
    pending.set(id, { command, overtakes: overtake, resolve, reject });
    stream.write(`${text}\n`);
    return promise;
  };

  const next: QmpClient["next"] = (name, { where, signal } = {}) => {
    if (failure !== undefined) return Promise.reject(failure);
    const found = deferred<QmpEvent<typeof name>>();
    const onAbort = (): void => found.reject(signal?.reason);
    const watcher: Watcher = {
      offer: (event) => {
        try {
          const candidate = event as QmpEvent<typeof name>;
          if (event.event === name && (where === undefined || where(candidate.data)))
            found.resolve(candidate);
        } catch (error) {
          // The condition is the caller's, and so is what it throws.
          found.reject(error);
        }
      },
      end: found.reject,
    };
    watchers.add(watcher);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    const tidy = (): void => {
      watchers.delete(watcher);
      signal?.removeEventListener("abort", onAbort);
    };
    found.promise.then(tidy, tidy);
    return found.promise;
  };

  let schema: Promise<QmpSchema> | undefined;
  const { version, offersOutOfBand } = await greeting.promise;
  await execute("qmp_capabilities", offersOutOfBand ? { enable: ["oob"] } : undefined);
  outOfBand = offersOutOfBand;
  return {
    version,
    outOfBand,
    execute,
    next,
    supports: async (...what) =>
      (await (schema ??= execute("query-qmp-schema").then(readQmpSchema))).supports(...what),
    events: () => events.read(),
    closed: closed.promise,
    close: () => onClose(),
  };
}

interface Greeting {
  readonly version: string;
  readonly offersOutOfBand: boolean;
}

// A number that is none may be anything, such as a list whose conversion overflows the stack.
function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

function readGreeting(qmp: Record<string, unknown>): Greeting {
  const version = isRecord(qmp["version"]) && isRecord(qmp["version"]["qemu"]) ? qmp["version"]["qemu"] : {};
  const { capabilities } = qmp;
  return {
    version: ["major", "minor", "micro"].map((part) => number(version[part])).join("."),
    offersOutOfBand: Array.isArray(capabilities) && capabilities.includes("oob"),
  };
}

function toEvent(message: Record<string, unknown>, event: string): QmpEvent {
  const stamp = isRecord(message["timestamp"]) ? message["timestamp"] : {};
  return {
    event,
    data: isRecord(message["data"]) ? message["data"] : {},
    timestamp: { seconds: number(stamp["seconds"]), microseconds: number(stamp["microseconds"]) },
  };
}

function refusal(command: string, error: unknown): QemuError {
  const { class: kind, desc }: Record<string, unknown> = isRecord(error) ? error : {};
  const description = [desc, kind].find((words) => typeof words === "string") ?? "it gave no reason";
  return new QemuError("QEMU_QMP_FAILED", `QEMU refused "${command}": ${description}`, {
    ...(typeof kind === "string" ? { qmpClass: kind } : {}),
  });
}
