/** A seeded source of mutations; the seed is in every failure's message. */
export interface Mutator {
  readonly seed: number;
  mutate(bytes: Uint8Array): Uint8Array;
  below(limit: number): number;
}

/** FUZZ_SEED replays a run. */
export function mutator(seed = Number(process.env["FUZZ_SEED"] ?? 20_261_126)): Mutator {
  let state = seed >>> 0 || 1;
  // xorshift32: the quality does not matter, the repeatability does.
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    seed,
    below,
    mutate(bytes) {
      const out = Uint8Array.from(bytes);
      for (let count = 1 + below(6); count > 0; count--) {
        if (out.length > 0) out[below(out.length)] = [0, 1, 255, below(256)][below(4)] ?? 0;
      }
      if (below(8) === 0) return out.subarray(0, below(out.length + 1));
      if (below(16) === 0) return Uint8Array.from([...out, ...out.subarray(below(out.length + 1))]);
      return out;
    },
  };
}
