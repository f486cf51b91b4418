/** Time and what happens in it: nothing here waits for a real clock. */
export interface World {
  /** Milliseconds since the world began. */
  now(): number;
  /** Let something happen; returns how to call it off. */
  at(time: number, event: () => void): () => void;
  /** Let everything happen, in order of time, until nothing is left or `enough`. */
  run(enough?: () => boolean): Promise<void>;
  /** Let what is due until then happen, and go there; promises are the caller's matter. */
  advance(to: number): void;
  /** Events so far. */
  readonly count: number;
}

interface Entry {
  readonly time: number;
  /** Of two at the same time, the first one called for is first. */
  readonly order: number;
  event: (() => void) | undefined;
}

const before = (a: Entry, b: Entry): boolean => a.time < b.time || (a.time === b.time && a.order < b.order);

/**
 * Make a world. `busy` tells whether promises are under way that take no time of the world: it waits for them
 * before the next event, so that the order of events is the same in every run.
 */
export function createWorld(busy: () => boolean = () => false): World {
  const heap: Entry[] = [];
  let now = 0;
  let order = 0;
  let count = 0;

  const push = (entry: Entry): void => {
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (!before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  };
  const pop = (): Entry | undefined => {
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Entry, heap[child] as Entry)) child++;
      if (!before(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
    return first;
  };

  return {
    now: () => now,
    at(time, event) {
      const entry: Entry = { time: Math.max(time, now), order: order++, event };
      push(entry);
      return () => (entry.event = undefined);
    },
    async run(enough = () => false) {
      for (let entry = pop(); entry; entry = pop()) {
        if (!entry.event) continue;
        now = entry.time;
        count++;
        entry.event();
        while (busy()) await new Promise<void>((resolve) => setImmediate(resolve));
        if (enough()) return;
      }
    },
    advance(to) {
      while (heap[0] && heap[0].time <= to) {
        const entry = pop();
        if (!entry?.event) continue;
        now = entry.time;
        count++;
        entry.event();
      }
      now = Math.max(now, to);
    },
    get count() {
      return count;
    },
  };
}
