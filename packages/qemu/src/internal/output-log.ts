import { QemuError } from "../errors.ts";

/** A piece of output and when it came. */
export interface Chunk {
  readonly bytes: Uint8Array;
  /** Milliseconds since the machine was started. */
  readonly at: number;
}

/**
 * Output as it arrives, kept up to a limit and readable by many, each from the start and at its own pace. Whoever
 * writes is never held up: an unread console would stop the guest.
 */
export interface OutputLog {
  readonly name: string;
  push(bytes: Uint8Array, at: number): void;
  end(): void;
  /** Bytes that ever came. */
  readonly total: number;
  readonly ended: boolean;
  /** What is kept, as one piece. */
  snapshot(): Uint8Array;
  /** Every chunk that is kept, then those that come. Throws `QEMU_OUTPUT_LOST` when the reader falls out of what is kept. */
  chunks(): AsyncIterable<Chunk>;
  /** Called on each chunk, and once without one at the end. Returns how to stop it. */
  listen(listener: (chunk: Chunk | undefined) => void): () => void;
}

/**
 * A serial line brings a few bytes at a time, and each kept for itself would take fifty times their memory: small pieces
 * share a buffer, and those of the same millisecond become one.
 */
const SHARED = 64 * 1024;
const TOGETHER_MS = 1;

interface Kept extends Chunk {
  /** Number of its first byte. */
  readonly start: number;
  /** When that came. */
  readonly since: number;
}

/** @param limit - Bytes kept. */
export function createOutputLog(name: string, limit: number): OutputLog {
  let kept: Kept[] = [];
  /** So many at its beginning are dropped already: to move all the others for each would take ever longer. */
  let gone = 0;
  let shared = Buffer.alloc(0);
  let sharedUsed = 0;
  const listeners = new Set<(chunk: Chunk | undefined) => void>();
  let keptBytes = 0;
  let dropped = 0;
  let droppedBytes = 0;
  let total = 0;
  let ended = false;

  async function* chunks(): AsyncGenerator<Chunk> {
    let [position, index] = [0, 0];
    let wake = (): void => undefined;
    const stop = listen(() => wake());
    try {
      for (;;) {
        if (position < droppedBytes) {
          throw new QemuError(
            "QEMU_OUTPUT_LOST",
            `A reader of "${name}" is more than ${limit} bytes behind: output is lost`,
          );
        }
        index = Math.max(index, dropped);
        const chunk = kept[gone + index - dropped];
        const end = chunk === undefined ? position : chunk.start + chunk.bytes.length;
        if (chunk !== undefined && end > position) {
          // The last one may have grown since.
          const bytes = chunk.bytes.subarray(position - chunk.start);
          position = end;
          yield { bytes, at: chunk.at };
        } else if (index + 1 < dropped + kept.length - gone) {
          index += 1;
        } else if (ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      stop();
    }
  }

  function listen(listener: (chunk: Chunk | undefined) => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  const keep = (bytes: Uint8Array, at: number): void => {
    if (bytes.length > SHARED / 16) {
      kept.push({ bytes, at, start: total, since: at });
      // What follows it is another's.
      sharedUsed = shared.length;
      return;
    }
    const last = sharedUsed < shared.length ? kept.at(-1) : undefined;
    if (sharedUsed + bytes.length > shared.length) [shared, sharedUsed] = [Buffer.alloc(SHARED), 0];
    const from = sharedUsed;
    shared.set(bytes, from);
    sharedUsed += bytes.length;
    const fits = (last?.bytes.length ?? 0) + bytes.length <= limit / 16;
    if (last !== undefined && from > 0 && fits && at - last.since < TOGETHER_MS) {
      const grown = shared.subarray(from - last.bytes.length, sharedUsed);
      kept[kept.length - 1] = { bytes: grown, at, start: last.start, since: last.since };
    } else kept.push({ bytes: shared.subarray(from, sharedUsed), at, start: total, since: at });
  };

  /** The oldest; returns how many bytes it had. */
  const drop = (): number => {
    const { length } = kept[gone]?.bytes ?? [];
    droppedBytes += length;
    gone += 1;
    dropped += 1;
    if (gone * 2 >= kept.length) [kept, gone] = [kept.slice(gone), 0];
    return length;
  };

  const notify = (chunk: Chunk | undefined): void => {
    for (const listener of listeners) listener(chunk);
  };

  return {
    name,
    push(bytes, at) {
      keep(bytes, at);
      keptBytes += bytes.length;
      total += bytes.length;
      while (keptBytes > limit && kept.length - gone > 1) keptBytes -= drop();
      notify({ bytes, at });
    },
    end() {
      if (ended) return;
      ended = true;
      notify(undefined);
    },
    get total() {
      return total;
    },
    get ended() {
      return ended;
    },
    snapshot: () => Buffer.concat(kept.slice(gone).map((chunk) => chunk.bytes)),
    chunks,
    listen,
  };
}
