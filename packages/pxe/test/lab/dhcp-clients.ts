/**
 * In the lab: an authoritative server and busybox udhcpc, then dnsmasq as a rival.
 * Prints one JSON line: { lease, again, events, rival, probe }.
 */
import { spawn } from "node:child_process";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { servePxe, type PxeEvent, type ServePxeOptions } from "../../src/index.ts";

const run = promisify(execFile);
const directory = await mkdtemp(join(tmpdir(), "pxe-udhcpc-"));
const script = join(directory, "print");
await writeFile(
  script,
  '#!/bin/sh\n[ "$1" = bound ] && env | grep -E "^(ip|subnet|router|dns|lease|serverid|hostname)="\nexit 0\n',
  { mode: 0o755 },
);

const client = async (...args: string[]): Promise<string> =>
  (
    await run("busybox", [
      "udhcpc",
      "-i",
      "client0",
      "-n",
      "-q",
      "-f",
      "-t",
      "5",
      "-T",
      "1",
      "-s",
      script,
      ...args,
    ])
  ).stdout;

const events: PxeEvent[] = [];
const options: ServePxeOptions = {
  bundle: { kernel: "/etc/hostname", initrd: [], cmdline: "" },
  interface: "br0",
  mode: "authoritative",
  pool: "10.77.0.50-10.77.0.59",
  leaseSeconds: 777,
  router: "10.77.0.1",
  dns: ["10.77.0.1"],
  ports: { http: 0 },
  probeMs: 1500,
  onEvent: (event: PxeEvent) => events.push(event),
};
await run("ip", ["link", "set", "client0", "up"]);
const server = await servePxe(options);
const lease = await client();
const again = await client("-r", "10.77.0.55");
await run("ip", ["link", "set", "client0", "down"]);
// Two of a kind on one address: the error, not a silent second server.
const twice = await servePxe({ ...options, force: true }).then(
  () => "served",
  (error: { code: string }) => error.code,
);
await server.close();

await run("ip", ["address", "add", "10.77.0.2/24", "dev", "other0", "metric", "999"]);
await run("ip", ["link", "set", "other0", "up"]);
const rival = spawn(
  "dnsmasq",
  [
    "--keep-in-foreground",
    "--conf-file=/dev/null",
    "--port=0",
    "--interface=other0",
    "--bind-interfaces",
  ].concat([
    "--dhcp-range=10.77.0.200,10.77.0.209,600",
    "--no-ping",
    "--dhcp-leasefile=/dev/null",
    "--log-facility=-",
  ]),
  { stdio: "ignore" },
);
await delay(500);
const probe = await servePxe(options).then(
  async (wrong) => {
    await wrong.close();
    return "served";
  },
  (error: { code: string; message: string }) => `${error.code} ${error.message}`,
);
rival.kill();
await rm(directory, { recursive: true });
process.stdout.write(`${JSON.stringify({ lease, again, events, probe, twice })}\n`);
process.exit();
