import type { Duplex } from "node:stream";
import { QemuError } from "./errors.ts";

/** A virtio-serial port: fast, and unlike a serial line the guest waits for its reader. */
export interface VirtioPort {
  readonly name: string;
  /** What the guest writes, until the machine ends; for one reader: a further one ends the one before. */
  readonly readable: AsyncIterable<Uint8Array>;
  /** Sends bytes to the guest; they wait until it opens the port. */
  write(data: string | Uint8Array): Promise<void>;
}

/** Taken ahead of the reader. */
const AHEAD = 1 << 20;

export interface VirtioPortControl extends VirtioPort {
  /** QEMU has ended: reads all that is left, whether somebody waits for it or not, so that the stream ends. */
  drain(): void;
}

export function createVirtioPort(name: string, stream: Duplex, onData: () => void): VirtioPortControl {
  const queue: Uint8Array[] = [];
  let queued = 0;
  let readers = 0;
  let ended = false;
  let draining = false;
  let wake = (): void => undefined;
  stream.on("data", (bytes: Uint8Array) => {
    queue.push(bytes);
    queued += bytes.length;
    if (queued > AHEAD && !draining) stream.pause();
    onData();
    wake();
  });
  stream.once("close", () => {
    ended = true;
    wake();
  });

  async function* chunks(): AsyncGenerator<Uint8Array> {
    // An earlier reader has come to its end.
    readers += 1;
    const me = readers;
    wake();
    for (;;) {
      if (me !== readers) return;
      const bytes = queue.shift();
      if (bytes !== undefined) {
        queued -= bytes.length;
        if (queued <= AHEAD / 2 && stream.isPaused()) stream.resume();
        yield bytes;
      } else if (ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  }

  return {
    name,
    readable: { [Symbol.asyncIterator]: chunks },
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
    drain: () => {
      draining = true;
      stream.resume();
    },
  };
}
