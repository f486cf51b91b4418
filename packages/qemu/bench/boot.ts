/**
 * The time from spawn to /init, of a plain QEMU and of `launch`, one after the other in turns; medians and their ratio.
 *
 *     node packages/qemu/bench/boot.ts [--rounds 7] KERNEL…
 *
 * KERNEL is a bzImage with a serial console: the distribution's (`kbuild distro`), one that was built (`kbuild build`).
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "../src/index.ts";
import { makeInitramfs } from "./initramfs.ts";
import { median } from "./median.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds ?? 7);
const scratch = await mkdtemp(join(tmpdir(), "qemu-bench-"));
const initrd = join(scratch, "initramfs.cpio");

async function plain(kernel: string): Promise<number> {
  const words = `-M q35 -m 512M -nodefaults -display none -no-reboot -serial stdio -append console=ttyS0`;
  const began = performance.now();
  const child = spawn("qemu-system-x86_64", [...words.split(" "), "-kernel", kernel, "-initrd", initrd], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let [text, at] = ["", Number.NaN];
  for await (const bytes of child.stdout) {
    text += String(bytes);
    if (Number.isNaN(at) && text.includes("INIT")) {
      at = performance.now() - began;
      child.kill("SIGKILL");
    }
  }
  return at;
}

async function ours(kernel: string): Promise<number> {
  const began = performance.now();
  await using vm = await launch(
    { kernel, initrd: [initrd], cmdline: "console=ttyS0", accel: "tcg" },
    { deadlines: { total: 120_000 } },
  );
  await vm.console.expect("INIT", { timeout: 120_000 });
  return performance.now() - began;
}

try {
  await makeInitramfs(initrd);
  for (const kernel of positionals) {
    // What is unpacked is kept: the first boot is not counted.
    await ours(kernel);
    const times: { plain: number[]; ours: number[] } = { plain: [], ours: [] };
    for (let round = 0; round < rounds; round++) {
      times.plain.push(await plain(kernel));
      times.ours.push(await ours(kernel));
    }
    const [a, b] = [median(times.plain), median(times.ours)];
    console.log(
      `${basename(kernel)}: plain QEMU ${a.toFixed(0)} ms, launch ${b.toFixed(0)} ms, ${(b / a).toFixed(2)} of it`,
    );
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
