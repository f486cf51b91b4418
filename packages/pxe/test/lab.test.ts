/** Real clients on a real (if private) network: see lab/run-in-lab.ts. */
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { PxeEvent } from "../src/index.ts";
import type { BootReport, BootRequest } from "./lab/boot.ts";
import { makeGuest, type Guest } from "./lab/guest.ts";
import { lab } from "./lab/run-in-lab.ts";

test(
  "udhcpc gets a lease and keeps it; another DHCP server on the segment is noticed",
  { timeout: 60_000 },
  async () => {
    const result = await lab<
      Record<"lease" | "again" | "probe" | "twice", string> & { events: readonly PxeEvent[] }
    >("dhcp-clients.ts", [], 50);
    expect(result.lease.trim().split("\n").sort()).toEqual([
      "dns=10.77.0.1",
      "ip=10.77.0.50",
      "lease=777",
      "router=10.77.0.1",
      "serverid=10.77.0.1",
      "subnet=255.255.255.0",
    ]);
    // It asked for .55, but its lease is in force.
    expect(result.again).toContain("ip=10.77.0.50\n");
    expect(result.events.map((event) => event.kind)).toEqual([
      "listening",
      "discover",
      "offer",
      "ack",
      "discover",
      "offer",
      "ack",
    ]);
    expect(result.probe).toMatch(
      /^PXE_DHCP_OTHER_SERVER A DHCP server answers on "br0" already: 10\.77\.0\.2 offered 10\.77\.0\.20\d$/,
    );
    expect(result.twice).toBe("PXE_ADDRESS_IN_USE");
  },
);

test(
  "the helper that announces an IPv6 router ends with its server, also with one that was killed",
  { timeout: 60_000 },
  async () => {
    const result = await lab<{ found: readonly number[]; said: readonly string[] }>(
      "router-helper.ts",
      [],
      50,
    );
    expect(result).toEqual({ found: [1, 0, 1, 0], said: ["listening", "listening"] });
  },
);

test("the lab dies with its caller, also by SIGKILL, and leaves nothing on this machine's network", async () => {
  const directory = await mkdtemp(join(tmpdir(), "pxe-lab-"));
  const script = join(directory, "linger.mjs");
  // A process that nobody waits for, known by its argument.
  const mark = `987${process.pid}`;
  await writeFile(
    script,
    `import { spawn } from "node:child_process"; spawn("sleep", ["${mark}"], { detached: true, stdio: "ignore" }); setInterval(() => {}, 1000);`,
  );
  const runner = fileURLToPath(new URL("lab/run-in-lab.ts", import.meta.url));
  const caller = spawn(process.execPath, [runner, script], { stdio: "ignore" });
  const alive = () => execFileSync("ps", ["-eo", "args"]).toString().includes(`sleep ${mark}`);
  while (!alive()) await delay(50);
  expect(execFileSync("ip", ["-brief", "link"]).toString()).not.toMatch(/\b(br0|tap0|client0)\b/);
  caller.kill("SIGKILL");
  await vi.waitFor(() => expect(alive()).toBe(false), { timeout: 5000 });
  await rm(directory, { recursive: true });
});

describe("a QEMU machine boots from its network card (SeaBIOS, iPXE ROM)", () => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await makeGuest();
  }, 120_000);
  afterAll(() => rm(guest.directory, { recursive: true, force: true }));

  const dnsmasq = [
    "--interface=other0",
    "--bind-interfaces",
    "--dhcp-range=10.77.0.200,10.77.0.209,600",
    "--no-ping",
    "--dhcp-leasefile=/dev/null",
    "--log-facility=-",
  ];
  test.each<[string, Pick<BootRequest, "mode" | "dnsmasq">]>([
    ["authoritative", { mode: "authoritative" }],
    ["proxy, beside dnsmasq", { mode: "proxy", dnsmasq }],
  ])("%s", { timeout: 120_000 }, async (name, mode) => {
    // What iPXE would take as its own must arrive at the kernel unchanged.
    const cmdline = 'console=ttyS0 panic=-1 quiet a="x  y" b="\ttab" || && ; #z end\\';
    const request: BootRequest = { guest, cmdline, ra: true, ...mode };
    const report = await lab<BootReport>("boot.ts", [JSON.stringify(request)], 100);
    console.log(`power-on to /init, ${name}: ${report.seconds?.toFixed(2)} s`);
    expect(report.console).toContain(`LAB payload ${guest.payload}  /payload/random`);
    expect(report.console).toContain(`LAB cmdline [initrd=initrd0 initrd=initrd1 ${cmdline}]`);
    expect(report.console).toContain("LAB end");
    const mac = "52:54:00:12:34:56";
    for (const kind of ["discover", "offer", "script", "kernel", "initrd"]) {
      expect(report.events).toContainEqual(expect.objectContaining({ kind }));
    }
    expect(report.events.filter((event) => event.kind === "warning")).toEqual([]);
    expect(report.events).toContainEqual(expect.objectContaining({ kind: "kernel", mac, via: "http" }));
  });
});
