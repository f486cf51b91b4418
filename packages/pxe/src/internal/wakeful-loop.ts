/**
 * Keeps the event loop from falling asleep while an answer is due within moments: to sleep and be woken takes longer
 * than a client on a quick wire takes to answer, and in lock-step that would be most of a transfer's time.
 */
export interface WakefulLoop {
  /** Look at the sockets without sleeping until `at`, in milliseconds of `performance.now()`. */
  until(at: number): void;
}

/** A loop that sleeps as others do until it is told not to. */
export function wakefulLoop(): WakefulLoop {
  let end = 0;
  let looking = false;
  // Node does not wait for its sockets while something is to be done at once.
  const look = (): void => {
    looking = performance.now() < end;
    if (looking) setImmediate(look);
  };
  return {
    until(at) {
      end = Math.max(end, at);
      if (looking) return;
      looking = true;
      setImmediate(look);
    },
  };
}
