/**
 * In the lab: dnsmasq leases addresses and names our files, as somebody's own server would. A machine boots the
 * plan of its queue, calls back, sends a result, and is switched on again: then its rule sends it to its disk.
 * Arguments: the bundle's directory, a directory to work in, dnsmasq's boot lines. Prints one JSON line.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatBoot, servePxe, type PxeEvent } from "../../src/index.ts";

const MAC = "52:54:00:12:34:56";
const [bundle = "", work = "", lines = ""] = process.argv.slice(2);

execFileSync("ip", ["address", "add", "10.77.0.2/24", "dev", "other0", "metric", "999"]);
execFileSync("ip", ["link", "set", "other0", "up"]);
const config = join(work, "dnsmasq.conf");
const own = [
  "port=0",
  "interface=other0",
  "bind-interfaces",
  "no-ping",
  "dhcp-leasefile=/dev/null",
  "log-facility=-",
];
await writeFile(config, [...own, "dhcp-range=10.77.0.200,10.77.0.209,600", lines, ""].join("\n"));
const dnsmasq = spawn("dnsmasq", ["--keep-in-foreground", `--conf-file=${config}`], { stdio: "ignore" });

const policy = join(work, "policy.yaml");
await writeFile(
  policy,
  `machines:
  - mac: ${MAC}
    tags: bench
    params: { address: 10.77.0.155/24, "note": "per machine" }
rules:
  - { tag: bench, boot: disk }
`,
);
const events: PxeEvent[] = [];
const server = await servePxe({
  policy,
  interface: "br0",
  mode: "files",
  ra: true,
  state: join(work, "state"),
  uploads: { directory: join(work, "results") },
  onEvent: (event) => events.push(event),
});
const base = `http://10.77.0.1:${server.ports.http}`;
const put = await fetch(`${base}/v1/machines/${MAC}/queue`, {
  method: "PUT",
  body: JSON.stringify([
    {
      boot: bundle,
      run: "first",
      cmdline: "round=1",
      params: { address: "10.77.0.155/24", note: "of the queue" },
    },
  ]),
});
if (!put.ok) throw new Error(await put.text());

const boot = async (until: string): Promise<string> => {
  const machine: ChildProcess = spawn(
    "qemu-system-x86_64",
    [
      ..."-accel tcg -m 512 -display none -serial stdio -no-reboot -boot n".split(" "),
      ..."-netdev tap,id=n0,ifname=tap0,script=no,downscript=no -device virtio-net-pci,netdev=n0".split(" "),
      "-drive",
      `file=${join(work, "disk")},format=raw,if=ide`,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  machine.stdout?.on("data", (part: Buffer) => {
    text += part.toString("latin1");
    if (text.includes(until)) machine.kill();
  });
  await once(machine, "close");
  return text;
};
const first = await boot("never");
const second = await boot("DISK BOOTED");
const [record] = server.machines();
const timeline = (record?.boots ?? []).map((one) => formatBoot(one));
const explained = server.explain(MAC).sentences;
const result = await readFile(join(work, "results/first/proof"), "utf8").catch(
  (error: Error) => error.message,
);
await server.close();
dnsmasq.kill();
process.stdout.write(`${JSON.stringify({ first, second, events, timeline, explained, result })}\n`);
