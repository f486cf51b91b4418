/**
 * In the lab: an ordinary client beside a proxy and the network's own DHCP server; a client on a wire that is
 * not served; and a server that is slow to show itself. Prints one JSON line: a SegmentReport.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { servePxe, type PxeEvent, type ServePxeOptions } from "../../src/index.ts";
import { startCapture, startHost } from "./host.ts";
import { readPcap } from "./pcap.ts";

export interface SegmentReport {
  /** Beside a proxy: what the client was given, and how many datagrams our server sent. */
  readonly beside: { readonly lease: string; readonly ours: number; readonly events: readonly PxeEvent[] };
  /** On another wire: what was seen there, and that the served network was served meanwhile. */
  readonly elsewhere: {
    readonly lease: string;
    readonly senders: readonly string[];
    readonly served: string;
    /** What the server told of the stranger. */
    readonly warnings: readonly PxeEvent[];
  };
  /** What starting beside a dnsmasq with its own settings came to. */
  readonly slow: string;
}

const directory = await mkdtemp(join(tmpdir(), "pxe-segments-"));
const UDHCPC = "busybox udhcpc -i eth0 -n -q -f -t 3 -T 1 -s /bin/true 2>&1 | grep obtained";
const events: PxeEvent[] = [];
const options: ServePxeOptions = {
  bundle: { kernel: "/etc/hostname", initrd: [], cmdline: "" },
  interface: "br0",
  mode: "proxy",
  pool: "10.77.0.50-10.77.0.99",
  ports: { http: 0, tftp: 6969 },
  onEvent: (event) => events.push(event),
};
const rival = async (...args: string[]) => {
  const child = spawn(
    "dnsmasq",
    [
      ..."--keep-in-foreground --conf-file=/dev/null --port=0 --interface=other0 --bind-interfaces".split(
        " ",
      ),
      ..."--dhcp-range=10.77.0.200,10.77.0.209,600 --dhcp-leasefile=/dev/null --log-facility=-".split(" "),
      ...args,
    ],
    { stdio: "ignore" },
  );
  await delay(500);
  return child;
};
const client = await startHost("wire0", "02:00:00:00:66:01", "br0");
execFileSync("ip", ["address", "add", "10.77.0.2/24", "dev", "other0", "metric", "999"]);
execFileSync("ip", ["link", "set", "other0", "up"]);

// Beside another server, as a proxy.
const other = await rival("--no-ping");
const proxy = await servePxe(options);
const wire = join(directory, "wire.pcap");
const onWire = await startCapture("wire0", wire);
const lease = await client.read(UDHCPC);
await delay(200);
onWire.kill();
const ours = readPcap(await readFile(wire)).filter(({ from }) => from === "10.77.0.1").length;
const beside = { lease, ours, events: events.splice(0) };
await proxy.close();
other.kill();
await once(other, "exit");

// On a wire that is not ours.
const stranger = await startHost("wire1", "02:00:00:00:66:02");
execFileSync("ip", ["address", "add", "10.88.0.1/24", "dev", "wire1"]);
const authoritative = await servePxe({ ...options, mode: "authoritative", force: true });
const foreign = join(directory, "foreign.pcap");
const elsewhere = await startCapture("wire1", foreign);
const [nothing, served] = await Promise.all([stranger.read(UDHCPC), client.read(UDHCPC)]);
await delay(200);
elsewhere.kill();
const senders = [...new Set(readPcap(await readFile(foreign)).map(({ from }) => from))];
await authoritative.close();
const warnings = events.splice(0).filter(({ kind }) => kind === "warning");

// dnsmasq first looks for three seconds whether an address is in use.
const quiet = await rival();
const slow = await servePxe({ ...options, mode: "authoritative" }).then(
  async (wrong) => {
    await wrong.close();
    return "served";
  },
  (error: { code: string }) => error.code,
);
quiet.kill();
const report: SegmentReport = { beside, elsewhere: { lease: nothing, senders, served, warnings }, slow };
client.end();
stranger.end();
await rm(directory, { recursive: true });
process.stdout.write(`${JSON.stringify(report)}\n`);
process.exit();
