import { deferred } from "./deferred.ts";

/** A list that can be read while it grows: every reader gets what is kept, then what comes, until the end. */
export interface Replay<T> {
  push(item: T): void;
  end(): void;
  read(): AsyncIterable<T>;
}

/** @param keep - Number of items kept for readers that come late. */
export function createReplay<T>(keep: number): Replay<T> {
  const items: T[] = [];
  let dropped = 0;
  let ended = false;
  let change = deferred<void>();
  const wake = (): void => {
    const { resolve } = change;
    change = deferred<void>();
    resolve();
  };
  async function* read(): AsyncGenerator<T> {
    let position = 0;
    for (;;) {
      position = Math.max(position, dropped);
      const item = items[position - dropped];
      if (position < dropped + items.length) {
        position += 1;
        yield item as T;
      } else if (ended) {
        return;
      } else {
        await change.promise;
      }
    }
  }
  return {
    push(item) {
      items.push(item);
      if (items.length > keep) {
        items.shift();
        dropped += 1;
      }
      wake();
    },
    end() {
      ended = true;
      wake();
    },
    read,
  };
}
