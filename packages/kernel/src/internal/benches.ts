/** A place at which one works at a time. */
export interface Bench {
  readonly place: string;
  /** Lets the next one have it, and says what was made there; a second time it does nothing. */
  readonly leave: (made?: string) => void;
}

/** Places that are given to whoever asks for one. */
export interface Benches {
  /** The first that is free; waits for one. @throws the signal's reason. */
  readonly take: (signal: AbortSignal | undefined) => Promise<Bench>;
  /** That at which something was made last, when it is free. */
  readonly takeMade: (made: string) => Bench | undefined;
}

interface Place {
  readonly place: string;
  busy: boolean;
  made: string | undefined;
}

/** Makes the places. */
export function benches(places: readonly string[]): Benches {
  const all = places.map((place): Place => ({ place, busy: false, made: undefined }));
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const go of waiting) go();
    waiting.clear();
  };
  const give = (one: Place): Bench => {
    one.busy = true;
    let left = false;
    const leave = (made?: string): void => {
      if (left) return;
      left = true;
      Object.assign(one, { busy: false, made });
      wake();
    };
    return { place: one.place, leave };
  };
  return {
    take: async (signal) => {
      for (;;) {
        signal?.throwIfAborted();
        const free = all.find(({ busy }) => !busy);
        if (free !== undefined) return give(free);
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
          signal?.addEventListener("abort", wake, { once: true });
        });
      }
    },
    takeMade: (wanted) => {
      const found = all.find(({ busy, made }) => !busy && made === wanted);
      return found && give(found);
    },
  };
}
