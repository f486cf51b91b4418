import {
  encodeTftp,
  parseTftp,
  startFetch,
  stepFetch,
  type FetchAction,
  type FetchOutcome,
  type FetchState,
  type TftpFetch,
} from "../../src/index.ts";
import { checker } from "./content.ts";
import type { World } from "./world.ts";

/** A client in the world. */
export interface Fetcher {
  /** What came from a port of the server. */
  receive(bytes: Uint8Array, port: number): void;
  readonly state: FetchState;
  readonly outcome: "complete" | "refused" | "failed" | undefined;
  readonly detail: string | undefined;
  readonly bytes: number;
  readonly exact: boolean;
  /** When it had the whole file. */
  readonly endedAt: number;
}

/** How a client behaves. */
export interface FetcherHabits {
  /** Boot ROMs wait for the server to repeat what was lost; only the request they repeat by themselves. */
  readonly passive?: boolean;
  /** Boot ROMs jump into the file when they have it, and answer nothing any more. */
  readonly leaves?: boolean;
}

/** Begin to fetch; `send` has a port of the server, 69 for the request. */
export function createFetcher(
  world: World,
  fetch: TftpFetch,
  habits: FetcherHabits,
  send: (bytes: Uint8Array, port: number) => void,
  ended: (fetcher: Fetcher) => void = () => undefined,
): Fetcher {
  const check = checker();
  let outcome: Fetcher["outcome"];
  let detail: string | undefined;
  let endedAt = Number.NaN;
  let cancel: (() => void) | undefined;
  const first = startFetch(fetch, world.now());
  let { state } = first;

  const perform = (action: FetchAction): void => {
    switch (action.kind) {
      case "request":
        return send(encodeTftp(action.packet), 69);
      case "send":
        return send(encodeTftp(action.packet), action.port);
      case "store":
        return check.take(action.bytes);
      default:
        ({ outcome, detail } = action);
        endedAt = world.now();
        ended(fetcher);
    }
  };
  const advance = (next: FetchOutcome): void => {
    if (next.state.deadline < state.deadline) {
      cancel?.();
      cancel = undefined;
    }
    ({ state } = next);
    for (const action of next.actions) perform(action);
    const silent = habits.passive === true && state.phase !== "asking";
    if (cancel || silent || state.phase === "done") return;
    cancel = world.at(state.deadline, () => {
      cancel = undefined;
      advance(stepFetch(state, { kind: "timer" }, world.now()));
    });
  };
  const fetcher: Fetcher = {
    receive(bytes, port) {
      if (habits.leaves === true && outcome !== undefined) return;
      const parsed = parseTftp(bytes);
      if (parsed.ok) advance(stepFetch(state, { kind: "packet", packet: parsed.value, port }, world.now()));
    },
    get state() {
      return state;
    },
    get outcome() {
      return outcome;
    },
    get detail() {
      return detail;
    },
    get bytes() {
      return check.bytes;
    },
    get exact() {
      return check.exact;
    },
    get endedAt() {
      return endedAt;
    },
  };
  advance(first);
  return fetcher;
}
