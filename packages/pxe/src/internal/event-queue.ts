import type { PxeEvent } from "../events.ts";

/** Unread events kept for a slow reader; older ones are dropped first. */
const MOST_UNREAD = 10_000;

/** Fans events out to any number of readers. */
export interface EventQueue {
  push(event: PxeEvent): void;
  /** Events from now on, until `end`. */
  subscribe(): AsyncIterableIterator<PxeEvent>;
  end(): void;
}

/** Make an empty queue. */
export function eventQueue(): EventQueue {
  const readers = new Set<{ unread: PxeEvent[]; dropped: number; wake: () => void }>();
  let ended = false;

  async function* read(reader: {
    unread: PxeEvent[];
    dropped: number;
    wake: () => void;
  }): AsyncGenerator<PxeEvent> {
    try {
      for (;;) {
        const event = reader.unread.shift();
        if (event) {
          if (reader.dropped > 0) {
            const message = `${reader.dropped} events were dropped because nobody read them`;
            reader.dropped = 0;
            yield { kind: "warning", code: "events-dropped", message, at: event.at };
          }
          yield event;
        } else if (ended) return;
        else await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    } finally {
      readers.delete(reader);
    }
  }

  return {
    push(event) {
      for (const reader of readers) {
        reader.unread.push(event);
        if (reader.unread.length > MOST_UNREAD) {
          reader.unread.shift();
          reader.dropped++;
        }
        reader.wake();
      }
    },
    subscribe() {
      const reader = { unread: [] as PxeEvent[], dropped: 0, wake: () => undefined };
      if (!ended) readers.add(reader);
      return read(reader);
    },
    end() {
      ended = true;
      for (const reader of readers) reader.wake();
    },
  };
}
