/**
 * In the lab: the DHCP clients that systems have, each on a card and in a namespace of its own, get an address,
 * renew it, rebind it, start again with it and give it back. Argument: a file for the capture.
 * Prints one JSON line: an OrdinaryReport.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  addressOption,
  MESSAGE_TYPE,
  messageType,
  parseDhcp,
  servePxe,
  type Lease,
  type PxeServer,
  type ServePxeOptions,
} from "../../src/index.ts";
import { startCapture, startHost } from "./host.ts";
import { readPcap } from "./pcap.ts";

const NAMES = ["udhcpc", "dhclient", "dhcpcd"] as const;
type Name = (typeof NAMES)[number];

export interface OrdinaryReport {
  /** What each client and the server said to each other, in order and in words. */
  readonly talk: Readonly<Record<Name, readonly string[]>>;
  readonly address: Readonly<Record<Name, string>>;
  /** The lease file in the end. */
  readonly leases: readonly Lease[];
  readonly warnings: readonly unknown[];
}

const directory = await mkdtemp(join(tmpdir(), "pxe-clients-"));
const capture = process.argv[2] ?? join(directory, "capture.pcap");
const script = join(directory, "configure");
await writeFile(
  script,
  `#!/bin/sh
# For udhcpc (an argument) and dhclient (variables).
address=\${ip:-$new_ip_address}
case "\${1:-$reason}" in
bound|renew|BOUND|RENEW|REBIND|REBOOT) ip address replace "$address/24" dev eth0 ;;
deconfig|RELEASE|STOP|EXPIRE|FAIL) ip address flush dev eth0 ;;
esac
exit 0
`,
  { mode: 0o755 },
);
const config = join(directory, "dhclient.conf");
await writeFile(config, "initial-delay 0; backoff-cutoff 1; initial-interval 1; retry 2; reboot 5;\n");

/** How each client is started, stopped (killed unless told), started again, and made to give its address back. */
const CLIENTS: Record<
  Name,
  { start: string; stop?: string; again: (address: string) => string; release: string | undefined }
> = {
  udhcpc: {
    start: `exec busybox udhcpc -f -i eth0 -R -T 1 -s ${script}`,
    // It keeps no lease over a crash, but can be told which address to ask for.
    again: (address) => `exec busybox udhcpc -f -i eth0 -R -T 1 -s ${script} -r ${address}`,
    // Asked to end, it releases (-R).
    release: undefined,
  },
  dhclient: {
    start: `exec dhclient -4 -d -cf ${config} -sf ${script} eth0`,
    // Killed, it would forget what it renewed: it writes that down later.
    stop: `dhclient -4 -x -cf ${config} -sf ${script} eth0`,
    again: () => `exec dhclient -4 -d -cf ${config} -sf ${script} eth0`,
    release: `dhclient -4 -r -cf ${config} -sf ${script} eth0`,
  },
  dhcpcd: {
    start: "exec dhcpcd -4 -B -A -L eth0",
    again: () => "exec dhcpcd -4 -B -A -L eth0",
    release: "dhcpcd -4 -k eth0",
  },
};

const warnings: unknown[] = [];
const options: ServePxeOptions = {
  bundle: { kernel: "/etc/hostname", initrd: [], cmdline: "" },
  interface: "br0",
  mode: "authoritative",
  pool: "10.77.0.50-10.77.0.99",
  leaseFile: join(directory, "leases"),
  leaseSeconds: 12,
  ports: { http: 0, tftp: 6969 },
  force: true,
  onEvent: (event) => {
    if (event.kind === "warning") warnings.push(event);
  },
};
let server: PxeServer = await servePxe(options);
const sniffer = await startCapture("br0", capture);

/** Wait until something has happened; the test's own limit ends it otherwise. */
async function until(what: string, done: () => boolean | Promise<boolean>, seconds = 25): Promise<void> {
  for (let wait = 0; wait < seconds * 20; wait++) {
    if (await done()) return;
    await delay(50);
  }
  process.stderr.write(`gave up waiting for ${what}\n`);
}
const leaseOf = (mac: string): Lease | undefined => server.leases().find((lease) => lease.mac === mac);

/** Every message of a card, in words. */
async function talk(mac: string): Promise<string[]> {
  const out: string[] = [];
  for (const { from, to, payload } of readPcap(await readFile(capture))) {
    const parsed = parseDhcp(payload);
    if (!parsed.ok || Buffer.from(parsed.value.chaddr).toString("hex") !== mac.replaceAll(":", "")) continue;
    const message = parsed.value;
    const type = messageType(message) ?? 0;
    const name = Object.entries(MESSAGE_TYPE).find(([, value]) => value === type)?.[0] ?? "?";
    if (type !== MESSAGE_TYPE.request) {
      out.push(from === "10.77.0.1" ? `${name} ${message.yiaddr}` : name);
    } else if (message.ciaddr !== "0.0.0.0") {
      out.push(`${to === "255.255.255.255" ? "rebind" : "renew"} ${message.ciaddr}`);
    } else {
      const wanted = addressOption(message, 50) ?? "";
      out.push(`${addressOption(message, 54) === undefined ? "reboot" : "select"} ${wanted}`);
    }
  }
  return out;
}
const said = async (mac: string, pattern: RegExp): Promise<boolean> =>
  pattern.test((await talk(mac)).join("\n"));

interface Member {
  readonly run: (line: string) => ChildProcess;
  readonly mac: string;
}
const ends: (() => void)[] = [];
const hosts: readonly Member[] = await Promise.all(
  NAMES.map(async (name, index) => {
    const mac = `02:00:00:00:77:0${index + 1}`;
    const { run, end } = await startHost(`${name}1`, mac, "br0");
    ends.push(end);
    return { run, mac };
  }),
);
const address: Record<string, string> = {};
const each = (work: (name: Name, one: Member) => Promise<void>): Promise<unknown> =>
  Promise.all(NAMES.map((name, index) => work(name, hosts[index] as Member)));
const running = new Map<Name, ChildProcess>();
/** Start a client and wait until it was told that it may use an address. */
async function begin(name: Name, { run, mac }: Member, line: string): Promise<void> {
  const before = (await talk(mac)).length;
  running.set(name, run(line));
  await until(`${name} to be bound`, async () =>
    (await talk(mac)).slice(before).some((message) => message.startsWith("ack")),
  );
  await delay(300); // it configures its card now
}
/** Stop a client so that it gives nothing back. */
async function stop(name: Name, { run }: Member): Promise<void> {
  const { stop } = CLIENTS[name];
  if (stop === undefined) running.get(name)?.kill("SIGKILL");
  else await once(run(stop), "exit");
  await once(run("ip address flush dev eth0"), "exit");
}

await each(async (name, one) => {
  const { run, mac } = one;
  await begin(name, one, CLIENTS[name].start);
  address[name] = leaseOf(mac)?.address ?? "";
  // It takes no lease for shorter than 16 s, but renews when told to.
  if (name === "udhcpc") running.get(name)?.kill("SIGUSR1");
  await until(`${name} to renew`, () => said(mac, /renew .*\nack/));
  // From now on what is sent to the server alone is lost; what is sent to everybody is not.
  await once(run("ip neigh replace 10.77.0.1 lladdr 02:00:00:00:99:99 dev eth0 nud permanent"), "exit");
  await until(`${name} to rebind`, () => said(mac, /rebind .*\nack/));
  await once(run("ip neigh del 10.77.0.1 dev eth0"), "exit");
  await stop(name, one);
});
await server.close();
server = await servePxe({ ...options, leaseSeconds: 600 });
await each((name, one) => begin(name, one, CLIENTS[name].again(address[name] ?? "")));
// What comes now is answered by a server that knows of these leases by its file alone.
await server.close();
server = await servePxe({ ...options, leaseSeconds: 600 });
await each(async (name, one) => {
  await stop(name, one);
  await begin(name, one, CLIENTS[name].again(address[name] ?? ""));
  const { release } = CLIENTS[name];
  if (release === undefined) running.get(name)?.kill("SIGTERM");
  else await once(one.run(release), "exit");
  await until(`${name} to release`, () => said(one.mac, /release$/), 8);
});
const report: OrdinaryReport = {
  talk: Object.fromEntries(
    await Promise.all(NAMES.map(async (name, index) => [name, await talk(hosts[index]?.mac ?? "")] as const)),
  ) as Record<Name, string[]>,
  address: address as OrdinaryReport["address"],
  leases: server.leases(),
  warnings,
};
await server.close();
for (const end of ends) end();
sniffer.kill();
await rm(directory, { recursive: true });
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit();
