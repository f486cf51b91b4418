import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** What a way through the network does to datagrams. */
export interface Weather {
  /** One way, in milliseconds. */
  readonly delay: number;
  /** Up to so much more, evenly. */
  readonly jitter?: number;
  /** Probabilities of a datagram to be lost, to come twice, to come late. */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  /** How much later at most; enough to overtake several others. */
  readonly late?: number;
  /** Bytes a millisecond, for all datagrams of this way together, and how many may wait for their turn. */
  readonly rate?: number;
  readonly queue?: number;
}

/** A way through the network. */
export interface Way {
  send(bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void;
  readonly lost: number;
  readonly sent: number;
}

/** Make a way; datagrams that are in order overtake nobody unless they are late. */
export function createWay(world: World, random: Random, weather: Weather): Way {
  const {
    delay,
    jitter = 0,
    loss = 0,
    duplicate = 0,
    reorder = 0,
    late = 0,
    rate,
    queue = 1 << 20,
  } = weather;
  let free = 0;
  /** When the last one that is not late arrives. */
  let newest = 0;
  let lost = 0;
  let sent = 0;
  const once = (bytes: Uint8Array, arrive: (bytes: Uint8Array) => void): void => {
    if (random.chance(loss)) {
      lost++;
      return;
    }
    let start = world.now();
    if (rate !== undefined) {
      // Ethernet's own share of a frame is 46 bytes with IP and UDP, preamble and gap.
      if ((free - start) * rate > queue) {
        lost++;
        return;
      }
      free = start = Math.max(free, start) + (bytes.length + 66) / rate;
    }
    const time = Math.max(newest, start + delay + random.float() * jitter);
    if (!random.chance(reorder)) {
      newest = time;
      world.at(time, () => arrive(bytes));
    } else world.at(time + random.float() * late, () => arrive(bytes));
  };
  return {
    send(bytes, arrive) {
      sent++;
      once(bytes, arrive);
      if (random.chance(duplicate)) once(bytes, arrive);
    },
    get lost() {
      return lost;
    },
    get sent() {
      return sent;
    },
  };
}
