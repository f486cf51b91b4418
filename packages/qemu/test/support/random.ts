export interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  bytes(count: number): Buffer;
}

/** Numbers that a seed brings back (Marsaglia, "Xorshift RNGs", 2003). */
export function createRandom(seed: number): Random {
  let state = (seed >>> 0) + 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let i = 0; i < 10; i += 1) next();
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return { below, bytes: (count) => Buffer.from(Array.from({ length: count }, () => next() & 0xff)) };
}
