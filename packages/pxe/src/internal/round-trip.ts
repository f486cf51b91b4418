/** Smoothed round trip and its deviation in milliseconds. */
export interface RoundTrip {
  readonly mean: number;
  readonly deviation: number;
}

/** Take a measured round trip into account (RFC 6298 section 2). */
export function withSample(before: RoundTrip | undefined, sample: number): RoundTrip {
  if (!before) return { mean: sample, deviation: sample / 2 };
  return {
    deviation: before.deviation * 0.75 + Math.abs(before.mean - sample) * 0.25,
    mean: before.mean * 0.875 + sample * 0.125,
  };
}

/** How long to wait for an answer before asking again. */
export function timerFor(roundTrip: RoundTrip, bounds: { floor: number; ceiling: number }): number {
  return Math.min(bounds.ceiling, Math.max(bounds.floor, roundTrip.mean + 4 * roundTrip.deviation));
}
