/**
 * In the lab: the same clients against the same server, once on this kernel's sockets (client0 and br0), once
 * on a station of ours (cable0). Prints one JSON line: an AdapterReport for each.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenFrames, servePxe, type PxeEvent, type ServePxeOptions } from "../../src/index.ts";
import { plugCard, run } from "./cable.ts";

export interface AdapterReport {
  /** What udhcpc got, at first and when it asks for another address than its own. */
  readonly lease: readonly string[];
  readonly again: readonly string[];
  /** sha256 by the client that fetched the kernel. */
  readonly files: Readonly<Record<string, string>>;
  readonly script: string;
  readonly missing: string;
  /** What the server told, without times. */
  readonly events: readonly string[];
}

const directory = await mkdtemp(join(tmpdir(), "pxe-adapters-"));
const hook = join(directory, "print");
await writeFile(
  hook,
  '#!/bin/sh\n[ "$1" = bound ] && env | grep -E "^(ip|subnet|router|dns|lease|serverid|boot_file|siaddr)="\nexit 0\n',
  { mode: 0o755 },
);
const kernel = join(directory, "kernel");
const bytes = randomBytes(3_000_001);
await writeFile(kernel, bytes);

async function clients(device: string, server: string, options: ServePxeOptions): Promise<AdapterReport> {
  const events: PxeEvent[] = [];
  const running = await servePxe({ ...options, onEvent: (event) => events.push(event) });
  const dhcp = async (...args: string[]): Promise<readonly string[]> => {
    const fixed = `udhcpc -i ${device} -n -q -f -t 5 -T 1 -s ${hook}`.split(" ");
    const { stdout } = await run("busybox", [...fixed, ...args]);
    return stdout.trim().split("\n").sort();
  };
  const lease = await dhcp();
  const again = await dhcp("-r", server.replace(/\d+$/, "55"));
  const address = lease.find((line) => line.startsWith("ip="))?.slice(3) ?? "";
  await run("ip", ["address", "add", `${address}/24`, "dev", device, "metric", "999"]);
  const http = `http://${server}:8080`;
  const fetched = async (...args: string[]): Promise<string> =>
    (
      await run("curl", ["-sS", "-m", "30", ...args], { encoding: "buffer", maxBuffer: 1 << 28 })
    ).stdout.toString("latin1");
  const files: Record<string, string> = {};
  for (const [name, args] of Object.entries({
    http: [`${http}/kernel`],
    "tftp, blocks of 512": ["--tftp-no-options", `tftp://${server}/kernel`],
    "tftp, blocks of 1428": ["--tftp-blksize", "1428", `tftp://${server}/kernel`],
    "a part": ["-r", "1000-2000000", `${http}/kernel`],
  }))
    files[name] = createHash("sha256")
      .update(await fetched(...args), "latin1")
      .digest("hex");
  const script = await fetched(`${http}/boot.ipxe`);
  const missing = await run("curl", ["-sS", `tftp://${server}/missing`]).then(
    () => "found",
    (error: { stderr: string }) => error.stderr.trim(),
  );
  await fetched("-d", "all well", `${http}/v1/booted`);
  await running.close();
  // The account of a boot is kept by card, and behind sockets of this machine's own there is none.
  const alike = events.filter(({ kind }) => kind !== "boot");
  const told = alike.map((event) =>
    JSON.stringify(event, (key, value: unknown) =>
      ["at", "milliseconds", "serverMs", "retransmissions"].includes(key) ? undefined : value,
    ),
  );
  return { lease, again, files, script, missing, events: told };
}

const common: ServePxeOptions = {
  bundle: { kernel, initrd: [kernel], cmdline: "quiet" },
  mode: "authoritative",
  leaseSeconds: 777,
  probeMs: 100,
};
await run("ip", ["link", "set", "client0", "up"]);
const sockets = await clients("client0", "10.77.0.1", {
  ...common,
  interface: "br0",
  pool: "10.77.0.50-10.77.0.59",
  router: "10.77.0.1",
  dns: ["10.77.0.1"],
});
await run("ip", ["link", "set", "client0", "down"]);

const link = await listenFrames(join(directory, "cable.sock"));
const unplug = await plugCard(link);
const cable = await clients("cable0", "10.88.0.1", {
  ...common,
  link,
  address: "10.88.0.1/24",
  pool: "10.88.0.50-10.88.0.59",
  router: "10.88.0.1",
  dns: ["10.88.0.1"],
});
unplug();
await link.close();
await rm(directory, { recursive: true });
const kernelHash = createHash("sha256").update(bytes).digest("hex");
const partHash = createHash("sha256").update(bytes.subarray(1000, 2_000_001)).digest("hex");
process.stdout.write(`${JSON.stringify({ sockets, cable, kernelHash, partHash })}\n`);
process.exit();
