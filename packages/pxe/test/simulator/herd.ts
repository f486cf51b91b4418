/** Many machines switched on at once: each gets an address by DHCP and a file by TFTP, over one wire. */
import {
  DHCP_OPTION,
  dhcpState,
  encodeDhcp,
  MESSAGE_TYPE,
  messageType,
  parseDhcp,
  stepDhcp,
  type DhcpConfig,
  type DhcpMessage,
} from "../../src/index.ts";
import { firmware, request, requested, serverId } from "../packets.ts";
import { content } from "./content.ts";
import { createFetcher, type Fetcher } from "./fetcher.ts";
import { createWay, type Weather } from "./network.ts";
import { seeded } from "./random.ts";
import { createServer, type SimulatedServer } from "./server.ts";
import { createWorld } from "./world.ts";

const SERVER = "10.77.0.1";
const CONFIG: DhcpConfig = {
  subnet: { address: SERVER, netmask: "255.255.0.0" },
  space: {
    pool: { first: "10.77.1.0", last: "10.77.200.255" },
    fixed: new Map(),
    taken: new Set([SERVER]),
  },
  leaseSeconds: 600,
  router: undefined,
  dns: [],
  allow: undefined,
  site: { address: SERVER, httpPort: 8080, tftpPort: 69, binaries: { "efi-x64": "boot.efi" } },
  sole: true,
  ports: { server: 67, client: 68 },
};

/** What to simulate. */
export interface HerdCase {
  readonly seed: number;
  readonly machines: number;
  /** Bytes of the boot program. */
  readonly size: number;
  readonly weather: Weather;
  readonly singlePort?: boolean;
}

/** What came of it. */
export interface HerdReport {
  readonly complete: number;
  readonly exact: number;
  readonly addresses: number;
  /** When the first, the median and the last machine had the file. */
  readonly milliseconds: readonly [first: number, median: number, last: number];
  readonly events: number;
  /** Most transfers at the same time. */
  readonly most: number;
  /** Transfers that the server still has at the end. */
  readonly left: number;
  /** Datagrams that the network lost on the way to the machines, and how many went that way. */
  readonly lost: number;
  readonly sent: number;
  /** What went wrong, by what was said of it. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Simulate a herd; the same case gives the same report. */
export async function simulateHerd(one: HerdCase): Promise<HerdReport> {
  const random = seeded(one.seed);
  const world = createWorld(() => server.service.opening > 0);
  const [down, up] = [createWay(world, random, one.weather), createWay(world, random, one.weather)];
  const machines = new Map<string, Fetcher>();
  const fetchers: Fetcher[] = [];
  const dhcp = dhcpState(CONFIG);
  let most = 0;

  const server: SimulatedServer = createServer(
    world,
    {
      files: new Map([["boot.efi", { kind: "bytes", bytes: content(one.size) } as const]]),
      singlePort: one.singlePort ?? false,
    },
    (bytes, port, to) => down.send(bytes, (arrived) => machines.get(to.address)?.receive(arrived, port)),
  );

  /** What the server's port 67 does with a message; the answers go to `arrive`. */
  const askDhcp = (bytes: Uint8Array, arrive: (message: DhcpMessage) => void): void => {
    const parsed = parseDhcp(bytes);
    if (!parsed.ok) throw new Error(parsed.reason);
    for (const action of stepDhcp(CONFIG, dhcp, parsed.value, world.now())) {
      if (action.kind !== "send") continue;
      down.send(encodeDhcp(action.message, { maxBytes: action.maxBytes }), (arrived) => {
        const reply = parseDhcp(arrived);
        if (reply.ok) arrive(reply.value);
      });
    }
  };

  const boot = (index: number): void => {
    const mac = `52:54:01:00:${[index >> 8, index & 255].map((byte) => byte.toString(16).padStart(2, "0")).join(":")}`;
    const fields = { mac, xid: 0x1000_0000 + index };
    let message = request("discover", { ...fields, options: firmware(7) });
    let done = false;
    const ask = (wait: number): void => {
      if (done) return;
      up.send(encodeDhcp(message), (arrived) => askDhcp(arrived, answered));
      // RFC 2131 4.1: the wait doubles, and is not the same for all.
      world.at(world.now() + wait * 1000 + random.float() * 500, () => ask(Math.min(wait * 2, 16)));
    };
    const answered = (reply: DhcpMessage): void => {
      if (reply.xid !== fields.xid || done) return;
      if (messageType(reply) === MESSAGE_TYPE.offer && !message.options.has(DHCP_OPTION.serverId)) {
        const chosen = [requested(reply.yiaddr), serverId(SERVER)] as const;
        message = request("request", { ...fields, options: [...firmware(7), ...chosen] });
        up.send(encodeDhcp(message), (arrived) => askDhcp(arrived, answered));
      } else if (messageType(reply) === MESSAGE_TYPE.ack) {
        done = true;
        fetch(reply.yiaddr, reply.file, index);
      }
    };
    ask(1);
  };

  const fetch = (address: string, file: string, index: number): void => {
    const from = { address, port: 1024 + index };
    // A third each: old firmware, edk2's window, a large window.
    const options = [{}, { blksize: 1468, windowsize: 4 }, { blksize: 1468, windowsize: 16 }][index % 3];
    const habits = { passive: true, leaves: true };
    const fetcher = createFetcher(world, { file, ...options }, habits, (bytes, port) =>
      up.send(bytes, (arrived) => {
        server.receive(arrived, port, from);
        most = Math.max(most, server.service.sessions);
      }),
    );
    machines.set(address, fetcher);
    fetchers.push(fetcher);
  };

  for (let index = 0; index < one.machines; index++) world.at(random.float() * 20, () => boot(index));
  await world.run();
  await new Promise<void>((resolve) => setImmediate(resolve)); // ports close in promises
  const times = fetchers.map((fetcher) => fetcher.endedAt).sort((a, b) => a - b);
  const failures: Record<string, number> = {};
  for (const { outcome, detail = "never ended", state } of fetchers) {
    if (outcome === "complete") continue;
    const what = `${detail} (windowsize ${state.asked.get("windowsize") ?? 1})`;
    failures[what] = (failures[what] ?? 0) + 1;
  }
  const at = (share: number): number => times[Math.floor((times.length - 1) * share)] ?? Number.NaN;
  return {
    complete: fetchers.filter((fetcher) => fetcher.outcome === "complete").length,
    exact: fetchers.filter((fetcher) => fetcher.exact && fetcher.bytes === one.size).length,
    addresses: machines.size,
    milliseconds: [at(0), at(0.5), at(1)],
    events: world.count,
    most,
    left: server.service.sessions,
    lost: down.lost,
    sent: down.sent,
    failures,
  };
}
