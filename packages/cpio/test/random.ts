/** A seeded generator (mulberry32), so that a failure can be repeated. */
export interface Random {
  readonly seed: number;
  /** An integer from 0 up to, but not including, `below`. */
  int(below: number): number;
  pick<T>(values: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

export function randomFrom(seed: number): Random {
  let state = seed;
  const int = (below: number): number => {
    state = (state + 0x6d2b_79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
  return {
    seed,
    int,
    pick: (values) => values[int(values.length)] as (typeof values)[number],
    bytes: (length) => Uint8Array.from({ length }, () => int(256)),
  };
}

/** The seed of this run: printed by who uses it, given by the environment to repeat a run. */
export const FUZZ_SEED = Number(process.env["FUZZ_SEED"] ?? 20_261_126);
