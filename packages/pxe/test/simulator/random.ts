/** Repeatable randomness. */
export interface Random {
  /** From 0 to 1, without 1. */
  float(): number;
  /** A whole number from 0, below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
}

/** A generator that is the same for the same seed (xorshift32, its first outputs thrown away). */
export function seeded(seed: number): Random {
  let state = (seed ^ 0x9e37_79b9) >>> 0 || 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let count = 0; count < 8; count++) next();
  const float = (): number => next() / 0x1_0000_0000;
  return {
    float,
    below: (limit) => Math.floor(float() * limit),
    chance: (probability) => float() < probability,
  };
}
