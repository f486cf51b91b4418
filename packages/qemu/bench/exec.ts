/**
 * Programs in a guest, one after the other, whose exit status, signal and both outputs must be exact.
 *
 *     node packages/qemu/bench/exec.ts [--rounds 500] [--seed N] [--serial]
 *
 * The guest is the tests': Debian's cloud kernel, emulated; the agent is reached by a virtio or a serial port.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { agentSegment, launch } from "../src/index.ts";
import { execRound } from "../test/support/exec-rounds.ts";
import { prepareGuest } from "../test/support/guest.ts";
import { createRandom } from "../test/support/random.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, seed: { type: "string" }, serial: { type: "boolean" } },
});
const rounds = Number(values.rounds ?? 500);
const seed = Number(values.seed ?? randomInt(2 ** 31));

const guest = await prepareGuest();
try {
  await using vm = await launch({
    kernel: guest.kernel,
    initrd: [guest.initrd, await agentSegment()],
    cmdline: "console=ttyS0 quiet do=agent",
    ...(values.serial === true ? { ports: ["agent"] } : { virtioPorts: ["agent"] }),
    accel: "tcg",
  });
  const agent = await vm.agent();
  const random = createRandom(seed);
  const began = performance.now();
  let [right, bytes] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    try {
      bytes += await execRound(agent, random, round, values.serial === true ? 1 << 13 : 1 << 17);
      right += 1;
    } catch (error) {
      console.log((error as Error).message);
    }
  }
  const ms = (performance.now() - began) / rounds;
  console.log(
    `${agent.channel}: ${right} of ${rounds} exact, ${bytes} bytes, ${ms.toFixed(0)} ms each (seed ${seed})`,
  );
  process.exitCode = right === rounds ? 0 : 1;
} finally {
  await guest.remove();
}
