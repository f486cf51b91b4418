/**
 * How fast results come out of a guest by a virtio port, every byte compared: what a program writes, and a file.
 *
 *     node packages/qemu/bench/results.ts [--mib 1024]
 *
 * The guest is the tests': Debian's cloud kernel, emulated.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { agentSegment, launch } from "../src/index.ts";
import { readBlocks } from "../test/support/blocks.ts";
import { prepareGuest } from "../test/support/guest.ts";
import { createRandom } from "../test/support/random.ts";

const { values } = parseArgs({ options: { mib: { type: "string" } } });
const MIB = 1 << 20;
const BLOCK_MIB = 16;
const count = Math.ceil(Number(values.mib ?? 1024) / BLOCK_MIB);

const guest = await prepareGuest();
try {
  await using vm = await launch({
    kernel: guest.kernel,
    initrd: [guest.initrd, await agentSegment()],
    cmdline: "console=ttyS0 quiet do=agent",
    virtioPorts: ["agent"],
    accel: "tcg",
  });
  const agent = await vm.agent();
  const content = createRandom(1).bytes(BLOCK_MIB * MIB);
  await agent.writeFile("/content", content);
  const told = (what: string, bytes: number, began: number): void => {
    const seconds = (performance.now() - began) / 1000;
    const load = loadavg()[0]?.toFixed(1);
    console.log(
      `${what}: ${bytes} bytes in ${seconds.toFixed(1)} s, ${(bytes / MIB / seconds).toFixed(0)} MiB/s, at a load of ${load}`,
    );
  };
  let began = performance.now();
  told("a program's output", await readBlocks(agent, content, count), began);
  began = performance.now();
  let [total, at] = [0, 0];
  for (let round = 0; round < count; round += 1) {
    at = 0;
    for await (const bytes of agent.readFile("/content")) {
      if (content.compare(bytes, 0, bytes.length, at, at + bytes.length) !== 0)
        throw new Error("It is not what was sent");
      at += bytes.length;
    }
    if (at !== content.length) throw new Error(`${at} bytes have come of ${content.length}`);
    total += at;
  }
  told("a file", total, began);
} finally {
  await guest.remove();
}
