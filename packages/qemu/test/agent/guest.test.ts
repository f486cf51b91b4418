import { randomInt } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { agentSegment, launch, type MachineSpec, type Vm } from "../../src/index.ts";
import { readBlocks } from "../support/blocks.ts";
import { collect } from "../support/collect.ts";
import { execRound } from "../support/exec-rounds.ts";
import { prepareGuest, type Guest } from "../support/guest.ts";
import { createRandom } from "../support/random.ts";

const LIMIT = 240_000;
const seed = randomInt(2 ** 31);
let guest: Guest;
let segment: Uint8Array;
beforeAll(async () => {
  guest = await prepareGuest();
  segment = await agentSegment();
}, LIMIT);
afterAll(() => guest.remove());

async function start(spec: MachineSpec): Promise<Vm> {
  return launch(
    { kernel: guest.kernel, initrd: [guest.initrd, segment], preset: "lean", ...spec },
    { deadlines: { total: LIMIT } },
  );
}

test(
  `a distribution's cloud kernel as it is, the agent its init, over a serial port (seed ${seed})`,
  async () => {
    await using vm = await start({ cmdline: "console=ttyS0 rdinit=/agent", ports: ["agent"] });
    const agent = await vm.agent({ timeout: LIMIT });
    expect(agent.channel).toBe("serial");
    expect(await vm.agent()).toBe(agent);
    expect(Buffer.concat(await collect(agent.readFile("/proc/version"))).toString()).toContain("cloud-amd64");
    const install = await agent.exec(["/bin/busybox", "--install", "-s", "/bin"]);
    expect(install).toMatchObject({ code: 0 });
    const random = createRandom(seed);
    for (let round = 0; round < 10; round += 1) await execRound(agent, random, round, 4096);
    await Promise.all(Array.from({ length: 4 }, (_, round) => execRound(agent, random, round, 4096)));
    const content = random.bytes(10_000);
    await agent.writeFile("/content", content);
    expect(await readBlocks(agent, content, 3)).toBe(30_024);

    await agent.reseed(random.bytes(64), new Date("2031-02-03T04:05:06Z"));
    const { stdout } = await agent.exec(["date", "-u", "+%F %H"]);
    expect(Buffer.from(stdout).toString()).toBe("2031-02-03 04\n");
    await agent.poweroff();
    expect((await vm.wait()).kind).toBe("poweroff");
    await expect(agent.exec(["true"])).rejects.toMatchObject({ code: "QEMU_AGENT_LOST" });
  },
  LIMIT,
);

test(
  `over the console, where the guest has no other port (seed ${seed})`,
  async () => {
    await using vm = await start({ cmdline: "console=ttyS0 rdinit=/agent" });
    const agent = await vm.agent({ timeout: LIMIT });
    expect(agent.channel).toBe("console");
    const random = createRandom(seed);
    expect(await agent.exec(["/bin/busybox", "--install", "-s", "/bin"])).toMatchObject({ code: 0 });
    for (let round = 0; round < 3; round += 1) await execRound(agent, random, round, 4096);
    // The kernel keeps its messages for itself meanwhile.
    await agent.exec(["sh", "-c", "echo '<3>a driver complains' > /dev/kmsg"]);
    const { stdout } = await agent.exec(["dmesg"]);
    expect(Buffer.from(stdout).toString()).toContain("a driver complains");
    expect(vm.console.text()).toContain("Linux version");

    const spin = await agent.exec(["sh", "-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 1"]);
    const { userMs, systemMs, maxResidentKiB, minorFaults, voluntarySwitches } = spin.usage;
    expect(userMs).toBeGreaterThan(0);
    // A second of it is sleep; Linux counts by ticks where it does not count exactly.
    expect(userMs + systemMs).toBeLessThan(spin.ms - 900);
    expect(maxResidentKiB).toBeGreaterThan(100);
    expect(minorFaults).toBeGreaterThan(0);
    expect(voluntarySwitches).toBeGreaterThan(0);

    // What somebody else writes to it is noticed.
    const disturbed = agent.exec(["sh", "-c", "echo hello > /dev/console; sleep 60"]);
    await expect(disturbed).rejects.toMatchObject({ code: "QEMU_AGENT_DAMAGED" });
  },
  LIMIT,
);

test(
  `over a virtio port, which goes before a serial one, until QEMU is killed in the middle (seed ${seed})`,
  async () => {
    await using vm = await start({
      cmdline: "console=ttyS0 do=agent",
      ports: ["agent"],
      virtioPorts: ["results", "agent"],
    });
    const agent = await vm.agent({ timeout: LIMIT });
    expect(agent.channel).toBe("virtio");
    const random = createRandom(seed);
    for (let round = 0; round < 50; round += 1) await execRound(agent, random, round, 1 << 16);
    const content = random.bytes(1 << 20);
    await agent.writeFile("/content", content);
    const [total] = await Promise.all([
      readBlocks(agent, content, 32),
      ...Array.from({ length: 4 }, (_, round) => execRound(agent, random, round, 1 << 16)),
    ]);
    expect(total).toBe(32 * (8 + (1 << 20)));

    // A port of one's own is a stream of bytes, which the guest's programs write to themselves.
    const port = vm.virtioPort("results").readable[Symbol.asyncIterator]();
    const find =
      "for p in /sys/class/virtio-ports/*; do [ $(cat $p/name) = results ] && echo hello > /dev/${p##*/}; done";
    expect(await agent.exec(["sh", "-c", `mkdir -p /sys; ${find}; true`])).toMatchObject({ code: 0 });
    expect(Buffer.from((await port.next()).value ?? []).toString()).toBe("hello\n");
    expect(() => vm.virtioPort("other")).toThrow(/"results", "agent"/);

    let received = 0;
    const endless = agent.exec(["cat", "/dev/zero"], {
      onStdout: (bytes) => {
        if (received === 0) process.kill(vm.pid, "SIGKILL");
        received += bytes.length;
      },
    });
    await expect(endless).rejects.toMatchObject({ code: "QEMU_AGENT_LOST" });
    expect(received).toBeGreaterThan(0);
    expect(await vm.wait()).toMatchObject({ kind: "qemu-error", signal: "SIGKILL" });
    expect((await port.next()).done).toBe(true);
  },
  LIMIT,
);
