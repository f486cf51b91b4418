/**
 * From power-on to /init of a BIOS machine under TCG: dnsmasq as it comes, dnsmasq with the settings that
 * nobody finds, and this package on a Unix socket. Needs root or user namespaces for dnsmasq's part alone.
 *
 *   node packages/pxe/bench/boot.ts [ROUNDS]
 *
 * The files come by HTTP from this package in each case: what differs is DHCP and the router advertisement.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { BootReport, BootRequest } from "../test/lab/boot.ts";
import { makeGuest } from "../test/lab/guest.ts";
import { bootOverLink, type LinkBootRequest } from "../test/lab/link-boot.ts";
import { runInLab } from "../test/lab/run-in-lab.ts";

const rounds = Number(process.argv[2] ?? 3);
const guest = await makeGuest();
const cmdline = "console=ttyS0 panic=-1 quiet";

const DNSMASQ = [
  "--interface=br0",
  "--bind-interfaces",
  "--dhcp-range=10.77.0.200,10.77.0.210,600",
  "--dhcp-boot=http://10.77.0.1:8080/boot.ipxe",
  "--dhcp-leasefile=/dev/null",
  "--log-facility=-",
];
const TUNED = [
  "--no-ping",
  "--dhcp-option=encap:175,176,1b",
  "--enable-ra",
  "--ra-param=br0,10,0",
  "--dhcp-range=::,constructor:br0,ra-stateless",
];

function check(console: string): void {
  if (!console.includes(`LAB payload ${guest.payload}`))
    throw new Error(`The guest has other bytes:\n${console}`);
}

async function dnsmasq(extra: readonly string[]): Promise<number> {
  const request: BootRequest = {
    guest,
    cmdline,
    ra: false,
    mode: "http-only",
    dnsmasq: [...DNSMASQ, ...extra],
  };
  const script = join(import.meta.dirname, "../test/lab/boot.ts");
  const { status, stdout, stderr } = await runInLab(script, [JSON.stringify(request)]);
  if (status !== 0) throw new Error(`The lab ended with ${status}: ${stderr}`);
  const report = JSON.parse(stdout) as BootReport;
  check(report.console);
  return report.seconds ?? Number.NaN;
}

const waits: string[] = [];
async function ours(transport: LinkBootRequest["transport"]): Promise<number> {
  const report = await bootOverLink({ guest, cmdline, firmware: "bios", transport });
  check(report.console);
  const { answers, longestBlock } = report.waits;
  const sum = answers.reduce((all, { milliseconds }) => all + milliseconds, 0);
  const list = answers
    .map(({ question, milliseconds }) => `${question} ${milliseconds.toFixed(1)}`)
    .join(", ");
  waits.push(
    `${transport}: ${sum.toFixed(1)} ms for ${answers.length} answers` +
      `${transport === "tftp" ? `, the longest wait for a block ${longestBlock.toFixed(1)} ms` : ""} (${list})`,
  );
  return report.seconds ?? Number.NaN;
}

const cells = {
  "dnsmasq, as it comes": () => dnsmasq([]),
  "dnsmasq, tuned": () => dnsmasq(TUNED),
  "pxe on a socket, HTTP": () => ours("http"),
  "pxe on a socket, TFTP": () => ours("tftp"),
};
const results = new Map<string, number[]>();
for (let round = 0; round < rounds; round++)
  for (const [name, boot] of Object.entries(cells))
    results.set(name, [...(results.get(name) ?? []), await boot()]);
await rm(guest.directory, { recursive: true });

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const base = median(results.get("dnsmasq, as it comes") ?? []);
console.log(
  `power-on to /init in seconds, ${rounds} rounds in turn: median, ratio to dnsmasq as it comes, all`,
);
for (const [name, values] of results) {
  const middle = median(values);
  const all = values.map((value) => value.toFixed(2)).join(" ");
  console.log(`${name.padEnd(24)} ${middle.toFixed(2).padStart(6)}  ${(middle / base).toFixed(2)}  ${all}`);
}
console.log("waiting for the server, from each question to the first frame of its answer:");
for (const line of waits) console.log(`  ${line}`);
