/**
 * In the lab: serve a guest in one of the modes and boot a QEMU machine from its network card.
 * Argument: a BootRequest as JSON. Prints one JSON line: a BootReport.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { servePxe, type PxeEvent, type ServePxeOptions } from "../../src/index.ts";
import type { Guest } from "./guest.ts";

export interface BootRequest {
  readonly guest: Guest;
  readonly cmdline: string;
  readonly mode: ServePxeOptions["mode"];
  readonly ra: boolean;
  /** Arguments of a dnsmasq that leases addresses on other0, for proxy mode. */
  readonly dnsmasq?: readonly string[];
  /** Further arguments of QEMU, for other firmware; they replace the network card's. */
  readonly machine?: readonly string[];
  readonly binaries?: ServePxeOptions["binaries"];
}

export interface BootReport {
  readonly console: string;
  readonly events: readonly PxeEvent[];
  /** Seconds from the start of QEMU to the first line of /init. */
  readonly seconds: number | undefined;
}

const request = JSON.parse(process.argv[2] ?? "{}") as BootRequest;
const children: ChildProcess[] = [];
const start = (command: string, args: readonly string[]): ChildProcess => {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  return child;
};

if (request.dnsmasq) {
  execFileSync("ip", ["address", "add", "10.77.0.2/24", "dev", "other0", "metric", "999"]);
  execFileSync("ip", ["link", "set", "other0", "up"]);
  start("dnsmasq", ["--keep-in-foreground", "--conf-file=/dev/null", "--port=0", ...request.dnsmasq]);
}
const events: PxeEvent[] = [];
const server = await servePxe({
  bundle: { ...request.guest, cmdline: request.cmdline, title: "Just enough" },
  interface: "br0",
  mode: request.mode,
  ra: request.ra,
  binaries: request.binaries,
  probeMs: 200,
  onEvent: (event) => events.push(event),
});
const began = performance.now();
const machine = start("qemu-system-x86_64", [
  ..."-accel tcg -m 512 -display none -serial stdio -no-reboot -boot n".split(" "),
  ..."-netdev tap,id=n0,ifname=tap0,script=no,downscript=no".split(" "),
  ...(request.machine ?? ["-device", "virtio-net-pci,netdev=n0"]),
]);
let text = "";
let seconds: number | undefined;
machine.stdout?.on("data", (part: Buffer) => {
  text += part.toString("latin1");
  if (seconds === undefined && text.includes("LAB init")) seconds = (performance.now() - began) / 1000;
});
await once(machine, "close");
await server.close();
for (const child of children) child.kill();
const report: BootReport = { console: text, events, seconds };
process.stdout.write(`${JSON.stringify(report)}\n`);
