/**
 * In the lab of packages/pxe: one cell beside a dnsmasq that leases the addresses. Arguments: the cell's name and
 * the guest as JSON. Prints the CellReport as JSON.
 */
import { spawn, execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { CELLS } from "./cells.ts";
import type { MatrixGuest } from "./guest.ts";
import { runServed } from "./run-cell.ts";

const [name, guest = ""] = process.argv.slice(2);
const cell = CELLS.find((candidate) => candidate.name === name);
if (!cell) throw new Error(`There is no cell "${name}"`);
execFileSync("ip", ["address", "add", "10.77.0.2/24", "dev", "other0", "metric", "999"]);
execFileSync("ip", ["link", "set", "other0", "up"]);
const dnsmasq = spawn(
  "dnsmasq",
  [
    ..."--keep-in-foreground --conf-file=/dev/null --port=0 --interface=other0 --bind-interfaces --no-ping".split(
      " ",
    ),
    ..."--dhcp-range=10.77.0.100,10.77.0.150,600 --dhcp-leasefile=/dev/null --log-facility=/dev/null".split(
      " ",
    ),
  ],
  { stdio: "ignore" },
);
await delay(500);
const report = await runServed(cell, JSON.parse(guest) as MatrixGuest, {
  serve: { interface: "br0" },
  plug: { nic: { kind: "tap", ifname: "tap0", mac: "52:54:00:12:34:56" } },
});
dnsmasq.kill();
process.stdout.write(`${JSON.stringify(report)}\n`);
