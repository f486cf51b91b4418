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

/** A serial line brings a few bytes at a time, and a buffer of its own for each would take many times their memory. */
const SHARED = 64 * 1024;

/** @param limit - Bytes kept. */
export function createOutputLog(name: string, limit: number): OutputLog {
  let kept: Chunk[] = [];
  /** So many at its beginning are dropped already: to move all the others for each would take ever longer. */
  let gone = 0;
  let shared = Buffer.alloc(0);
  let sharedUsed = 0;
  const listeners = new Set<(chunk: Chunk | undefined) => void>();
  let keptBytes = 0;
  let dropped = 0;
  let total = 0;
  let ended = false;

  async function* chunks(): AsyncGenerator<Chunk> {
    let position = 0;
    let wake = (): void => undefined;
    const stop = listen(() => wake());
    try {
      for (;;) {
        if (position < dropped) {
          throw new QemuError(
            "QEMU_OUTPUT_LOST",
            `A reader of "${name}" is more than ${limit} bytes behind: output is lost`,
          );
        }
        const chunk = kept[gone + position - dropped];
        if (chunk !== undefined) {
          position += 1;
          yield chunk;
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

  const together = (bytes: Uint8Array): Uint8Array => {
    if (bytes.length > SHARED / 16) return bytes;
    if (sharedUsed + bytes.length > shared.length) [shared, sharedUsed] = [Buffer.alloc(SHARED), 0];
    shared.set(bytes, sharedUsed);
    sharedUsed += bytes.length;
    return shared.subarray(sharedUsed - bytes.length, sharedUsed);
  };

  /** The oldest; returns how many bytes it had. */
  const drop = (): number => {
    const bytes = kept[gone]?.bytes.length ?? 0;
    gone += 1;
    dropped += 1;
    if (gone * 2 >= kept.length) [kept, gone] = [kept.slice(gone), 0];
    return bytes;
  };

  const notify = (chunk: Chunk | undefined): void => {
    for (const listener of listeners) listener(chunk);
  };

  return {
    name,
    push(bytes, at) {
      const chunk = { bytes: together(bytes), at };
      kept.push(chunk);
      keptBytes += bytes.length;
      total += bytes.length;
      while (keptBytes > limit && kept.length - gone > 1) keptBytes -= drop();
      notify(chunk);
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
