import { QemuError } from "./errors.ts";

/** What one direction of a cable does to the frames on it. */
export interface Impairment {
  /** Share of the frames that vanish, from 0 (the default) to 1. */
  readonly loss?: number | undefined;
  /** Milliseconds by which each frame is late; default 0. A timer of Node counts them, so that it is up to one more. */
  readonly delay?: number | undefined;
  /** Up to so many milliseconds more, another number for each frame; default 0. */
  readonly jitter?: number | undefined;
  /** Whether a frame may overtake those with more jitter. By default they wait for each other, and keep their order. */
  readonly reorder?: boolean | undefined;
}

/** Both directions of the cable between a device and the switch, seen from the device. */
export interface Line {
  /** What the device sends. */
  readonly up?: Impairment | undefined;
  /** What it receives. */
  readonly down?: Impairment | undefined;
}

export interface LineCounters {
  /** That came through. */
  readonly frames: number;
  readonly bytes: number;
  /** Taken by the impairment's `loss`. */
  readonly lost: number;
  /** For which there was no room: the receiver, or the delay, held too much already. */
  readonly dropped: number;
}

/** One direction. */
export interface LineControl {
  push(frame: Uint8Array): void;
  impair(impairment: Impairment): void;
  counters(): LineCounters;
  /** Forgets what is under way. */
  close(): void;
}

interface Waiting {
  readonly frame: Uint8Array;
  /** Time of `performance.now()`. */
  readonly due: number;
}

/**
 * @param random - Numbers from 0 to below 1; each frame takes two, so that what happens to one depends on nothing but its number.
 * @param limit - Bytes that may be under way.
 * @param deliver - Takes a frame, which it copies if it keeps it; false when it has no room.
 */
export function createLine(
  random: () => number,
  limit: number,
  deliver: (frame: Uint8Array) => boolean,
): LineControl {
  const waiting: Waiting[] = [];
  const counters = { frames: 0, bytes: 0, lost: 0, dropped: 0 };
  let [loss, delay, jitter, reorder] = [0, 0, 0, false];
  let waitingBytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const pass = (frame: Uint8Array): void => {
    if (!deliver(frame)) {
      counters.dropped += 1;
      return;
    }
    counters.frames += 1;
    counters.bytes += frame.length;
  };

  const arm = (): void => {
    clearTimeout(timer);
    const [first] = waiting;
    timer = first === undefined ? undefined : setTimeout(release, Math.max(1, first.due - performance.now()));
  };

  function release(): void {
    const now = performance.now();
    for (let [first] = waiting; first !== undefined && first.due <= now; [first] = waiting) {
      waiting.shift();
      waitingBytes -= first.frame.length;
      pass(first.frame);
    }
    // A timer may come a fraction of a millisecond early.
    arm();
  }

  const hold = (frame: Uint8Array, wait: number): void => {
    if (waitingBytes + frame.length > limit) {
      counters.dropped += 1;
      return;
    }
    const due = performance.now() + wait;
    // Who is not to overtake waits behind the others, whenever it is due.
    let index = waiting.length;
    if (reorder) while (index > 0 && (waiting[index - 1] as Waiting).due > due) index -= 1;
    waiting.splice(index, 0, { frame: new Uint8Array(frame), due });
    waitingBytes += frame.length;
    if (index === 0) arm();
  };

  return {
    push: (frame) => {
      const vanishes = random() < loss;
      const wait = delay + random() * jitter;
      if (vanishes) counters.lost += 1;
      else if (wait === 0 && waiting.length === 0) pass(frame);
      else hold(frame, wait);
    },
    impair: (impairment) => {
      ({ loss = 0, delay = 0, jitter = 0, reorder = false } = impairment);
    },
    counters: () => ({ ...counters }),
    close: () => {
      clearTimeout(timer);
      waiting.length = 0;
      waitingBytes = 0;
    },
  };
}

/** Throws `QEMU_SPEC_INVALID`. */
export function checkLine({ up = {}, down = {} }: Line): void {
  for (const { loss = 0, delay = 0, jitter = 0 } of [up, down]) {
    checked("loss", loss, 1);
    checked("delay", delay, MAX_DELAY);
    checked("jitter", jitter, MAX_DELAY);
  }
}

/** An hour, in milliseconds. */
const MAX_DELAY = 3_600_000;

function checked(what: string, value: number, max: number): void {
  if (value >= 0 && value <= max) return;
  throw new QemuError(
    "QEMU_SPEC_INVALID",
    `Invalid line: ${what} is ${value}, wanted is a number from 0 to ${max}`,
  );
}
