/**
 * Round trip and throughput between two emulated guests, by a switch and by QEMU's own multicast socket, in turns.
 *
 *     node packages/qemu/bench/network.ts [--rounds 5]
 */
import { parseArgs } from "node:util";
import { launch, type MachineSpec, type Vm } from "../src/index.ts";
import { createSwitch } from "../src/net.ts";
import { prepareGuest } from "../test/support/guest.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" } } });
const rounds = Number(values.rounds ?? 5);
const guest = await prepareGuest();

type Way = "switch" | "multicast";

function spec(way: Way, station: number): MachineSpec {
  const mac = `52:54:00:00:00:0${station}`;
  return {
    kernel: guest.kernel,
    initrd: [guest.initrd],
    cmdline: `console=ttyS0 quiet ipv6.disable=1 do=net address=10.9.0.${station}`,
    memory: "256M",
    accel: "tcg",
    ...(way === "switch"
      ? { nics: [{ kind: "switch", network: "lan", mac }] }
      : {
          extraArgs: [
            ...["-netdev", "socket,id=net0,mcast=230.0.0.1:9876,localaddr=127.0.0.1"],
            ...["-device", `virtio-net-pci,netdev=net0,mac=${mac},romfile=`],
          ],
        }),
  };
}

async function run(vm: Vm, command: string): Promise<string> {
  await vm.console.write(`${command}\n`);
  const [, output = ""] = await vm.console.expect(/([^]*?)guest: status \d+\r?\n/, { timeout: 120_000 });
  return output;
}

/** Milliseconds of the median of 50 pings, and MiB/s of the fastest of copies of 16 MiB. */
async function measure(way: Way): Promise<{ ping: number; copy: number }> {
  const lan = createSwitch();
  const vms = await Promise.all([1, 2].map((station) => launch(spec(way, station), { networks: { lan } })));
  const [first, second] = vms as [Vm, Vm];
  try {
    for (const vm of vms) await vm.console.expect("guest: ready", { timeout: 120_000 });
    const pings = [...(await run(first, "ping -c 50 -i 0.05 10.9.0.2")).matchAll(/time=([\d.]+)/g)];
    await run(first, "dd if=/dev/zero bs=1M count=16 of=/data 2>/dev/null");
    await run(first, "(while :; do nc -l -p 5000 < /data; done) & sleep 1");
    const seconds: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      const time = /real\s+(\d+)m\s*([\d.]+)s/.exec(
        await run(second, "time nc 10.9.0.1 5000 > /dev/null; sleep 0.5"),
      );
      seconds.push(Number(time?.[1]) * 60 + Number(time?.[2]));
    }
    return { ping: median(pings.map((match) => Number(match[1]))), copy: 16 / Math.min(...seconds) };
  } finally {
    await Promise.all(vms.map((vm) => vm.kill()));
    lan.close();
  }
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  const results: Record<Way, { ping: number; copy: number }[]> = { switch: [], multicast: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const way of ["switch", "multicast"] as const) results[way].push(await measure(way));
  for (const [way, all] of Object.entries(results)) {
    const [ping, copy] = [median(all.map((result) => result.ping)), median(all.map((result) => result.copy))];
    console.log(`${way}: round trip ${ping.toFixed(1)} ms, 16 MiB at ${copy.toFixed(0)} MiB/s`);
  }
} finally {
  await guest.remove();
}
