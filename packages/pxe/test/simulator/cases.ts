import type { HerdCase } from "./herd.ts";
import { seeded } from "./random.ts";
import type { TransferCase } from "./transfer.ts";

/** A wire on which everything goes wrong that can: 5 % of datagrams are lost, as many come twice, or late. */
export const BAD_WEATHER = {
  delay: 0.2,
  jitter: 0.2,
  loss: 0.05,
  duplicate: 0.05,
  reorder: 0.05,
  late: 3,
} as const;

/** One of many different transfers, in bad weather. */
export function transferCase(seed: number): TransferCase {
  const random = seeded(seed);
  const pick = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  const blksize = pick(undefined, 8, 512, 1024, 1432, 1468);
  const blocks = pick(0, 1, 2, 3, random.below(200));
  // Now and then a multiple of the block: then the last block is empty.
  const size = blocks * (blksize ?? 512) + pick(0, 1, random.below(blksize ?? 512));
  const windowsize = pick(undefined, 1, 2, 4, 8, 16, 64);
  return {
    seed,
    size,
    weather: BAD_WEATHER,
    singlePort: random.chance(0.5),
    passive: random.chance(0.5),
    leaves: random.chance(0.5),
    options: {
      tsize: random.chance(0.5),
      ...(blksize === undefined ? {} : { blksize }),
      ...(windowsize === undefined ? {} : { windowsize }),
    },
  };
}

/**
 * A kernel of 14 MB in lock-step, as iPXE fetches it: blocks of 1432 bytes, a round trip of 0.2 ms (measured of an
 * emulated machine's iPXE), a client that waits for the server. `loss` is for each direction.
 */
export function kernelCase(loss: number): TransferCase {
  return {
    seed: 14,
    size: 14_000_000,
    weather: { delay: 0.1, loss },
    passive: true,
    leaves: true,
    options: { blksize: 1432, tsize: true },
  };
}

/** A herd on one gigabit wire whose switch can hold half a megabyte. */
export function herdCase(machines: number, size: number, singlePort = false): HerdCase {
  const weather = {
    delay: 0.1,
    jitter: 0.05,
    loss: 0.001,
    duplicate: 0.001,
    rate: 125_000,
    queue: 512 * 1024,
  };
  return { seed: 1000, machines, size, singlePort, weather };
}
