import { getSystemErrorName } from "node:util";
import { QemuError } from "../errors.ts";
import { deferred } from "../internal/deferred.ts";
import { timerLimit } from "../internal/timer-limit.ts";
import { damaged, FrameType, type Frame } from "./frame.ts";
import type { Session } from "./session.ts";
import { decodeUsage, USAGE_BYTES, type ExecUsage } from "./usage.ts";

type Receiver = (bytes: Uint8Array) => void | Promise<void>;

export interface JobRequest {
  readonly type: number;
  readonly payload: Uint8Array;
  /** For messages: `run "make"`. */
  readonly what: string;
  /** Whatever they return is waited for before the guest may send much more. */
  readonly onOutput?: Receiver | undefined;
  readonly onErrors?: Receiver | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds. */
  readonly timeout?: number | undefined;
}

export interface JobEnd {
  readonly how: "exit" | "signal" | "done";
  /** Exit status or number of the signal. */
  readonly value: number;
  readonly ms: number;
  readonly usage: ExecUsage;
}

export interface Job {
  /** Resolves when all that it sent has been received, checked and taken. */
  readonly ended: Promise<JobEnd>;
  /** Sends the whole content, and its end. Resolves early when nobody reads it any more. */
  input(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** Ends it, unless it has ended: `ended` rejects with this reason. */
  abandon(reason: unknown): void;
}

const HOW = ["exit", "signal", "done"] as const;
const SIGKILL = 9;
const UNLIMITED = 0xffff_ffff;
const INPUT_PIECE = 16_384;
/** The end of a job: its own words, then what it used. */
const END_USAGE = 32;
const END_BYTES = END_USAGE + USAGE_BYTES;
const NOTHING = new Uint8Array(0);
/** So much may be under way; on a serial port, a third of a second. */
const WINDOW = { virtio: 8 << 20, socket: 8 << 20, serial: 65_536, console: 65_536 } as const;

/** Starts something in the guest. Throws when the connection is gone. */
export function startJob(session: Session, request: JobRequest): Job {
  const window = WINDOW[session.channel];
  const end = deferred<JobEnd>();
  const counts = { output: 0, errors: 0 };
  let owed = 0;
  let over = false;
  let abandoned = false;
  let tail: Promise<void> | undefined;
  let inputSent = 0;
  let credit = session.inputWindow;
  let creditCame = deferred<void>();

  const acknowledge = (bytes: number): void => {
    owed += bytes;
    if (owed < window / 4) return;
    session.send(FrameType.credit, id, uint32(owed));
    owed = 0;
  };
  const deliver = (bytes: Uint8Array, receiver: Receiver | undefined): void => {
    if (abandoned || receiver === undefined) {
      acknowledge(bytes.length);
      return;
    }
    try {
      const turn = tail === undefined ? receiver(bytes) : tail.then(() => receiver(bytes));
      if (turn === undefined) {
        acknowledge(bytes.length);
        return;
      }
      const mine: Promise<void> = turn.then(() => {
        acknowledge(bytes.length);
        if (tail === mine) tail = undefined;
      });
      tail = mine;
      mine.catch(abandon);
    } catch (error) {
      abandon(error);
    }
  };

  /** Of a file that is written, the agent counts what has reached it. */
  const missing = (sent: typeof counts): string | undefined => {
    const output = request.type === FrameType.write ? inputSent : counts.output;
    if (sent.output === output && sent.errors === counts.errors) return undefined;
    return `the agent tells of ${sent.output} and ${sent.errors} bytes, there were ${output} and ${counts.errors}`;
  };

  const finish = (frame: Frame): void => {
    const payload = Buffer.from(frame.payload);
    settle();
    session.forget(id);
    if (payload.length !== END_BYTES) {
      end.reject(damaged("the end of a job is not understood"));
      return;
    }
    const how = HOW[payload.readUInt32LE(0)];
    const value = payload.readUInt32LE(4);
    if (how === undefined) {
      end.reject(
        new QemuError("QEMU_AGENT_FAILED", `Cannot ${request.what} in the guest: ${errorName(value)}`),
      );
      return;
    }
    const sent = { output: Number(payload.readBigUInt64LE(16)), errors: Number(payload.readBigUInt64LE(24)) };
    const lost = missing(sent);
    if (lost !== undefined) {
      end.reject(damaged(lost));
      return;
    }
    const ms = Number(payload.readBigUInt64LE(8)) / 1e6;
    (tail ?? Promise.resolve()).then(
      () => end.resolve({ how, value, ms, usage: decodeUsage(payload.subarray(END_USAGE)) }),
      end.reject,
    );
  };

  const id = session.listen({
    frame: (frame) => {
      if (frame.type === FrameType.output) {
        counts.output += frame.payload.length;
        deliver(frame.payload, request.onOutput);
      } else if (frame.type === FrameType.errors) {
        counts.errors += frame.payload.length;
        deliver(frame.payload, request.onErrors);
      } else if (frame.type === FrameType.credit) {
        credit += Buffer.from(frame.payload).readUInt32LE(0);
        creditCame.resolve();
      } else {
        finish(frame);
      }
    },
    lost: (error) => {
      settle();
      end.reject(error);
    },
  });

  const settle = (): void => {
    over = true;
    creditCame.resolve();
    clearTimeout(timer);
    request.signal?.removeEventListener("abort", onAbort);
  };
  const abandon = (reason: unknown): void => {
    if (abandoned) return;
    abandoned = true;
    if (!over) {
      session.send(FrameType.kill, id, uint32(SIGKILL));
      // What it has left behind must not wait for a reader.
      session.send(FrameType.credit, id, uint32(UNLIMITED));
    }
    settle();
    end.reject(reason);
  };
  const onAbort = (): void => abandon(request.signal?.reason);
  const timer =
    request.timeout === undefined
      ? undefined
      : setTimeout(
          () =>
            abandon(
              new QemuError(
                "QEMU_AGENT_TIMEOUT",
                `Cannot ${request.what} in the guest within ${request.timeout} ms`,
              ),
            ),
          timerLimit(request.timeout),
        );
  request.signal?.addEventListener("abort", onAbort, { once: true });

  session.send(request.type, id, request.payload);
  session.send(FrameType.credit, id, uint32(window));
  // Whoever waits for it hears of it; nobody must.
  end.promise.catch(() => undefined);

  const sendPiece = async (bytes: Uint8Array): Promise<void> => {
    let rest = bytes;
    while (rest.length > 0) {
      if (over) return;
      if (credit === 0) {
        creditCame = deferred();
        await creditCame.promise;
        continue;
      }
      const piece = rest.subarray(0, Math.min(INPUT_PIECE, credit));
      rest = rest.subarray(piece.length);
      credit -= piece.length;
      inputSent += piece.length;
      session.send(FrameType.input, id, piece);
    }
  };

  return {
    ended: end.promise,
    input: async (content) => {
      try {
        for await (const bytes of content instanceof Uint8Array ? [content] : content) {
          if (over) break;
          await sendPiece(bytes);
        }
        if (!over) session.send(FrameType.input, id, NOTHING);
      } catch (error) {
        abandon(error);
      }
    },
    abandon,
  };
}

function uint32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** The guest's numbers are Linux's own, the same on all its machines of today. */
function errorName(errno: number): string {
  return getSystemErrorName(-errno);
}
