import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, type Vm } from "../src/index.ts";
import { createSwitch, type PcapFile, type SwitchPort, type VirtualSwitch } from "../src/net.ts";
import { frameOf, stationAddress } from "./support/frames.ts";
import { prepareGuest, type Guest } from "./support/guest.ts";
import { ipStation } from "./support/ip-station.ts";
import { processesWith, until } from "./support/processes.ts";
import { readCapture } from "./support/tcpdump.ts";

let guest: Guest;
let scratch: string;
let lan: VirtualSwitch;
let recording: PcapFile;
let first: Vm;
let second: Vm;

const MIB = 1024 * 1024;
const macOf = (station: number): string => `52:54:00:00:00:0${station}`;
const portOf = (station: number): SwitchPort => {
  const port = lan.port(macOf(station));
  if (port === undefined) throw new Error(`Station ${station} has no port`);
  return port;
};

function start(station: number, network = "lan"): Promise<Vm> {
  return launch(
    {
      kernel: guest.kernel,
      initrd: [guest.initrd],
      // Without IPv6 a guest sends only what it is told to.
      cmdline: `console=ttyS0 quiet ipv6.disable=1 do=net address=10.9.0.${station}`,
      memory: "256M",
      nics: [{ kind: "switch", network, mac: macOf(station), pcap: join(scratch, `card-${station}.pcap`) }],
    },
    { networks: { lan }, deadlines: { total: 200_000 } },
  );
}

/** Lets a guest send its file to whoever connects. */
const serve = (port: number): string =>
  `(while :; do nc -l -p ${port} < /data; done) & until grep -q ':${port.toString(16)} .* 0A ' /proc/net/tcp; do sleep 0.1; done`;

/** Runs a command in a guest. */
async function run(vm: Vm, command: string): Promise<{ status: number; output: string }> {
  await vm.console.write(`${command}\n`);
  const [, output = "", status] = await vm.console.expect(/([^]*?)guest: status (\d+)\r?\n/, {
    timeout: 60_000,
  });
  return { status: Number(status), output: output.trim() };
}

beforeAll(async () => {
  guest = await prepareGuest();
  scratch = await mkdtemp(join(tmpdir(), "qemu-network-test-"));
  lan = createSwitch();
  recording = lan.record(join(scratch, "all.pcap"));
  [first, second] = await Promise.all([start(1), start(2)]);
  for (const vm of [first, second]) await vm.console.expect("guest: ready", { timeout: 60_000 });
}, 240_000);

afterAll(async () => {
  await Promise.all([first?.kill(), second?.kill()]);
  lan.close();
  expect(await processesWith(guest.initrd)).toEqual([]);
  await guest.remove();
  await rm(scratch, { recursive: true, force: true });
});

describe("two guests", () => {
  test("ping each other and copy 16 MiB, byte for byte; the capture has each packet", async () => {
    expect(await run(first, "ping -c 3 -i 0.1 10.9.0.2")).toMatchObject({ status: 0 });
    expect(await run(second, "ping -c 3 -i 0.1 10.9.0.1")).toMatchObject({ status: 0 });
    const made = await run(first, "dd if=/dev/urandom bs=1M count=16 of=/data 2>/dev/null; md5sum < /data");
    await run(first, serve(5000));
    const copied = await run(second, "nc 10.9.0.1 5000 > /data; wc -c < /data; md5sum < /data");
    expect(made.output).toMatch(/^[0-9a-f]{32} /);
    expect(copied.output.split(/\s*\n/)).toEqual([String(16 * MIB), made.output]);
    // The cards are still by then: what each has sent is what the switch has got, and what the file has.
    let sent = 0;
    for (const vm of [first, second]) {
      const { output } = await run(vm, "ip link set eth0 down; awk '/eth0/ { print $11 }' /proc/net/dev");
      sent += Number(output);
    }
    recording.close();
    const counters = [portOf(1), portOf(2)].map((port) => port.counters());
    expect(sent).toBe(counters.reduce((sum, { up }) => sum + up.frames, 0));
    expect(recording.frames).toBe(sent);
    expect(counters.map(({ up, down }) => [up.lost, up.dropped, down.lost, down.dropped])).toEqual([
      [0, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const lines = await readCapture(recording.path);
    expect(lines).toHaveLength(sent);
    expect(lines.filter((line) => line.includes("ICMP echo request"))).toHaveLength(6);
    expect(lines.filter((line) => line.includes("ICMP echo reply"))).toHaveLength(6);
    for (const vm of [first, second]) await run(vm, "ip link set eth0 up");
  }, 120_000);

  test("and a program: it answers a guest's ARP and ping, and gets answers to its own", async () => {
    const port = lan.join("program");
    const station = ipStation(port, stationAddress(100), "10.9.0.100");
    const { status, output } = await run(first, "ping -c 3 -i 0.1 10.9.0.100");
    expect(output).toContain("3 packets transmitted, 3 packets received, 0% packet loss");
    expect(status).toBe(0);
    expect(await station.ping("10.9.0.2", "hello, guest")).toBe("hello, guest");
    port.close();
  }, 60_000);

  test("hear nothing of each other where all is lost, in that direction alone", async () => {
    const ping = (seconds: number): Promise<{ status: number }> =>
      run(first, `ping -c 1 -W ${seconds} 10.9.0.2 > /dev/null`);
    const arrived = (station: number): number => portOf(station).counters().down.frames;
    expect(await ping(20)).toMatchObject({ status: 0 });

    portOf(1).impair({ up: { loss: 1 } });
    let before = [arrived(1), arrived(2)];
    expect(await ping(1)).toMatchObject({ status: 1 });
    expect(arrived(2)).toBe(before[1]);

    portOf(1).impair({ up: {}, down: { loss: 1 } });
    before = [arrived(1), arrived(2)];
    expect(await ping(1)).toMatchObject({ status: 1 });
    expect(arrived(1)).toBe(before[0]);
    expect(arrived(2)).toBeGreaterThan(before[1] ?? 0);

    portOf(1).impair({ down: {} });
    expect(await ping(20)).toMatchObject({ status: 0 });
  }, 60_000);

  test("see a line's delay in both directions", async () => {
    portOf(1).impair({ up: { delay: 100 }, down: { delay: 150 } });
    const { output } = await run(first, "ping -c 2 -i 0.1 10.9.0.2");
    portOf(1).impair({ up: {}, down: {} });
    expect(Number(/min\/avg\/max = ([\d.]+)/.exec(output)?.[1])).toBeGreaterThan(249);
  }, 60_000);

  test("one that stands still loses what it has no room for, and holds up nobody", async () => {
    const port = lan.join("flooder");
    await second.qmp.execute("stop");
    const before = portOf(2).counters().down;
    const frame = frameOf(2, 100, new Uint8Array(1486));
    const count = Math.ceil((32 * MIB) / frame.length);
    for (let index = 0; index < count; index += 1) {
      port.send(frame);
      if (index % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const { frames, dropped, bytes } = portOf(2).counters().down;
    expect(frames - before.frames + dropped - before.dropped).toBe(count);
    // 4 MiB here, what the socket holds, and what QEMU holds.
    expect(bytes - before.bytes).toBeLessThan(8 * MIB);
    ipStation(port, stationAddress(100), "10.9.0.100");
    expect(await run(first, "ping -c 1 10.9.0.100")).toMatchObject({ status: 0 });
    await second.qmp.execute("cont");
    expect(await run(second, "ping -c 1 10.9.0.1")).toMatchObject({ status: 0 });
    port.close();
  }, 60_000);
});

test("a second card with the same address, and a network that is not given, are refused; no QEMU is left", async () => {
  await expect(start(1)).rejects.toMatchObject({
    code: "QEMU_NETWORK_NAME_TAKEN",
    message: 'The network has a port "52:54:00:00:00:01" already',
  });
  await expect(start(3, "wan")).rejects.toMatchObject({
    code: "QEMU_NETWORK_UNKNOWN",
    message: 'The machine has a card in the network "wan", which was not given',
  });
  expect(await processesWith(guest.initrd)).toHaveLength(2);
});

test("captures are complete when a machine is killed amid its traffic, and its port is gone", async () => {
  const port = portOf(2);
  await run(first, serve(6000));
  const capture = lan.record(join(scratch, "killed.pcap"));
  const before = port.counters().up.frames;
  await second.console.write("while :; do nc 10.9.0.1 6000 > /dev/null; done\n");
  expect(await until(async () => port.counters().up.frames > before + 200, 30_000)).toBe(true);
  process.kill(second.pid, "SIGKILL");
  expect(await second.wait()).toMatchObject({ kind: "qemu-error", signal: "SIGKILL" });
  expect(await port.closed).toBe(undefined);
  expect(lan.ports.map(({ name }) => name)).toEqual([macOf(1)]);
  const sent = port.counters().up.frames;
  // Nobody has closed the file by now.
  expect(await readCapture(capture.path, "ether", "src", macOf(2))).toHaveLength(sent - before);
  // QEMU's own capture of the card: all that it has sent, and more that came or was on its way.
  const own = await readCapture(join(scratch, "card-2.pcap"), "ether", "src", macOf(2));
  expect(own.length).toBeGreaterThanOrEqual(sent);
  capture.close();
}, 60_000);
