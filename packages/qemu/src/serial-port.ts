import type { Duplex } from "node:stream";
import { QemuError } from "./errors.ts";
import { createLineDecoder } from "./internal/line-decoder.ts";
import type { OutputLog } from "./internal/output-log.ts";
import { timerLimit } from "./internal/timer-limit.ts";
import { plainText } from "./plain-text.ts";

export interface ConsoleLine {
  /** Without line end and escape sequences. */
  readonly text: string;
  /** When its last byte came, in milliseconds since the machine was started. */
  readonly at: number;
}

/** One serial line of the guest. Output is kept as bytes, whether somebody reads it or not. */
export interface SerialPort {
  readonly name: string;
  /** The guest's output from its first byte on, then live, until the machine ends. Any number of readers; one that comes when the first byte is no longer kept gets `QEMU_OUTPUT_LOST`. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** The same, by lines, cleaned of carriage returns and escape sequences. */
  lines(): AsyncIterable<ConsoleLine>;
  /** Sends bytes to the guest; resolves when they have been handed over. */
  write(data: string | Uint8Array): Promise<void>;
  /**
   * Waits until `pattern` occurs in the output that no earlier `expect` has consumed, and consumes up to its end.
   * Rejects with `QEMU_EXPECT_TIMEOUT` or, when the machine ends first, `QEMU_EXPECT_CLOSED`.
   */
  expect(
    pattern: RegExp | string,
    options?: { readonly timeout?: number | undefined },
  ): Promise<RegExpExecArray>;
  /** The bytes kept so far. */
  bytes(): Uint8Array;
  /** The output kept so far as text, cleaned like {@link lines}. */
  text(): string;
  /** The last lines, at most `count` (default 50). */
  tail(count?: number): string[];
}

/** Unconsumed output that `expect` searches, at least; older output can no longer match. */
const EXPECT_WINDOW = 1024 * 1024;
const MAX_LINE = 1024 * 1024;

/** A {@link SerialPort} over the log that collects a stream's output and the stream itself for input. */
export function createSerialPort(name: string, log: OutputLog, stream: Duplex): SerialPort {
  const decoder = new TextDecoder();
  let unconsumed = "";
  let wake = (): void => undefined;
  log.listen((chunk) => {
    if (chunk !== undefined) {
      unconsumed += decoder.decode(chunk.bytes, { stream: true });
      // Each cut copies all that stays, and a flood comes in pieces of a few bytes.
      if (unconsumed.length > 2 * EXPECT_WINDOW) unconsumed = unconsumed.slice(-EXPECT_WINDOW);
    }
    wake();
  });

  const lastLines = (count: number): string[] => {
    const lines = plainText(Buffer.from(log.snapshot()).toString("utf8")).split("\n");
    if (lines.at(-1) === "") lines.pop();
    return lines.slice(-count);
  };

  const failed = (
    code: "QEMU_EXPECT_TIMEOUT" | "QEMU_EXPECT_CLOSED",
    pattern: RegExp | string,
    why: string,
  ): QemuError =>
    new QemuError(
      code,
      `${String(pattern)} did not appear on "${name}" ${why}. Last lines:\n${lastLines(20).join("\n")}`,
    );

  const expect = async (pattern: RegExp | string, timeout: number | undefined): Promise<RegExpExecArray> => {
    const regex =
      typeof pattern === "string"
        ? new RegExp(pattern.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
        : new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ""));
    let expired = false;
    const expire = (): void => {
      expired = true;
      wake();
    };
    const timer = timeout === undefined ? undefined : setTimeout(expire, timerLimit(timeout));
    try {
      for (;;) {
        const match = regex.exec(unconsumed);
        if (match !== null) {
          unconsumed = unconsumed.slice(match.index + match[0].length);
          return match;
        }
        if (log.ended) throw failed("QEMU_EXPECT_CLOSED", pattern, "before the machine ended");
        if (expired) throw failed("QEMU_EXPECT_TIMEOUT", pattern, `within ${timeout} ms`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
    }
  };
  // One after another: two that wait at once would fight over what the other one consumes.
  let queue: Promise<unknown> = Promise.resolve();

  return {
    name,
    readable: { [Symbol.asyncIterator]: () => bytesOf(log) },
    lines: () => linesOf(log),
    write: (data) =>
      new Promise((resolve, reject) => {
        stream.write(data, (error) => {
          if (error === null || error === undefined) resolve();
          else
            reject(
              new QemuError("QEMU_PORT_UNKNOWN", `Cannot write to "${name}": ${error.message}`, {
                cause: error,
              }),
            );
        });
      }),
    expect: (pattern, options) => {
      const result = queue.then(() => expect(pattern, options?.timeout));
      queue = result.catch(() => undefined);
      return result;
    },
    bytes: () => log.snapshot(),
    text: () => plainText(Buffer.from(log.snapshot()).toString("utf8")),
    tail: (count = 50) => lastLines(count),
  };
}

async function* bytesOf(log: OutputLog): AsyncGenerator<Uint8Array> {
  for await (const chunk of log.chunks()) yield chunk.bytes;
}

async function* linesOf(log: OutputLog): AsyncGenerator<ConsoleLine> {
  const decoder = createLineDecoder(MAX_LINE);
  let at = 0;
  for await (const chunk of log.chunks()) {
    ({ at } = chunk);
    // A line over the limit is given in pieces rather than kept for ever.
    for (const line of decoder.push(chunk.bytes) ?? [decoder.rest()]) yield { text: plainText(line), at };
  }
  const rest = decoder.rest();
  if (rest !== "") yield { text: plainText(rest), at };
}
