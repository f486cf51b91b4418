/** Frames between a switch and a program that reads them when it likes. */
export interface FrameQueue extends AsyncIterable<Uint8Array> {
  /** Keeps a copy; false when there is no room for it. */
  push(frame: Uint8Array): boolean;
  /** What is kept can still be read. */
  end(): void;
}

export function createFrameQueue(limit: number): FrameQueue {
  const frames: Uint8Array[] = [];
  const sleepers: (() => void)[] = [];
  let bytes = 0;
  let ended = false;

  const wake = (): void => {
    for (const resume of sleepers.splice(0)) resume();
  };

  return {
    push: (frame) => {
      if (ended || bytes + frame.length > limit) return false;
      frames.push(new Uint8Array(frame));
      bytes += frame.length;
      wake();
      return true;
    },
    end: () => {
      ended = true;
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const frame = frames.shift();
        if (frame !== undefined) {
          bytes -= frame.length;
          yield frame;
        } else if (ended) {
          return;
        } else {
          await new Promise<void>((resolve) => {
            sleepers.push(resolve);
          });
        }
      }
    },
  };
}
