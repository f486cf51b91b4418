/** One client, one server, one network: a transfer from the request to the last byte, in virtual time. */
import type { PxeEventBody, TftpFetch } from "../../src/index.ts";
import { content } from "./content.ts";
import { createFetcher, type FetcherHabits } from "./fetcher.ts";
import { createWay, type Weather } from "./network.ts";
import { seeded } from "./random.ts";
import { createServer, type SimulatedServer } from "./server.ts";
import { createWorld } from "./world.ts";

/** What to simulate. */
export interface TransferCase extends FetcherHabits {
  readonly seed: number;
  readonly size: number;
  readonly weather: Weather;
  readonly options?: Omit<TftpFetch, "file">;
  readonly singlePort?: boolean;
}

/** What came of it. */
export interface TransferReport {
  readonly outcome: "complete" | "refused" | "failed" | undefined;
  readonly detail: string | undefined;
  readonly bytes: number;
  readonly exact: boolean;
  /** Until the client had all, in virtual milliseconds. */
  readonly milliseconds: number;
  readonly datagrams: number;
  readonly lost: number;
  /** What the server reported. */
  readonly events: readonly PxeEventBody[];
  /** Transfers that the server still has when nothing is left to happen. */
  readonly left: number;
}

/** Simulate one transfer; the same case gives the same report. */
export async function simulateTransfer(one: TransferCase): Promise<TransferReport> {
  const random = seeded(one.seed);
  const world = createWorld(() => server.service.opening > 0);
  const [down, up] = [createWay(world, random, one.weather), createWay(world, random, one.weather)];
  const events: PxeEventBody[] = [];
  let datagrams = 0;
  const client = { address: "10.77.0.50", port: 2000 + (one.seed & 0x7fff) };
  const server: SimulatedServer = createServer(
    world,
    {
      files: new Map([["file", { kind: "bytes", bytes: content(one.size) } as const]]),
      singlePort: one.singlePort ?? false,
      onEvent: (event) => events.push(event),
    },
    (bytes, port) => {
      datagrams++;
      down.send(bytes, (arrived) => fetcher.receive(arrived, port));
    },
  );
  const fetcher = createFetcher(world, { file: "file", ...one.options }, one, (bytes, port) => {
    datagrams++;
    up.send(bytes, (arrived) => server.receive(arrived, port, client));
  });
  await world.run();
  await new Promise<void>((resolve) => setImmediate(resolve)); // ports close in promises
  const { outcome, detail, bytes, exact } = fetcher;
  return {
    outcome,
    detail,
    bytes,
    exact,
    milliseconds: fetcher.endedAt,
    datagrams,
    lost: down.lost + up.lost,
    events,
    left: server.service.sessions,
  };
}
