/**
 * How much all transfers together may have under way. TFTP has no congestion control, and a herd of machines
 * with windows fills the buffers of a switch at once: then most of what is sent is lost, repeated, and lost
 * again. As in RFC 5681 the limit falls by half with a loss and grows by a block for each time that it was
 * confirmed; transfers that have to wait take turns.
 */
export interface Congestion {
  /** Whether the next window has to wait for its turn. */
  full(): boolean;
  /** Call back when it is this one's turn. */
  wait(turn: () => void): void;
  /** So many more bytes are under way. */
  sent(bytes: number): void;
  /** So many fewer; `confirmed` unless they were given up. */
  arrived(bytes: number, confirmed: boolean): void;
  /** A block was lost. */
  lost(): void;
}

/** No network for booting has room for more; one alone with the largest window never comes near it. */
const CEILING = 4 << 20;
/** What a gigabit link with a round trip of a millisecond has under way: less would leave it idle. */
const FLOOR = 128 << 10;
const BLOCK = 1468;
/** Losses within this time are one sign of congestion. */
const SAME_MS = 20;

/** Nothing is under way yet. */
export function congestion(now: () => number): Congestion {
  let limit = CEILING;
  let underWay = 0;
  let lastLoss = Number.NEGATIVE_INFINITY;
  let calling = false;
  const queue: (() => void)[] = [];

  const room = (): boolean => underWay < limit;
  const call = (): void => {
    if (calling) return;
    calling = true;
    while (queue.length > 0 && room()) queue.shift()?.();
    calling = false;
  };

  return {
    full: () => !room() || (queue.length > 0 && !calling),
    wait(turn) {
      queue.push(turn);
      call();
    },
    sent(bytes) {
      underWay += bytes;
    },
    arrived(bytes, confirmed) {
      underWay -= bytes;
      if (confirmed) limit = Math.min(CEILING, limit + (BLOCK * bytes) / limit);
      call();
    },
    lost() {
      if (now() - lastLoss < SAME_MS) return;
      lastLoss = now();
      limit = Math.max(FLOOR, Math.min(limit, underWay) / 2);
    },
  };
}
