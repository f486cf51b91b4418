/**
 * The time from spawn to /init, of a plain QEMU and of `launch`, one after the other in turns; medians and their ratio.
 *
 *     node packages/qemu/bench/boot.ts [--rounds 7] KERNEL…
 *
 * KERNEL is a bzImage with a serial console: the distribution's (`kbuild distro`), one that was built (`kbuild build`).
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "../src/index.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds ?? 7);
const INIT = `#include <unistd.h>
#include <sys/reboot.h>
int main(void) { write(1, "INIT\\n", 5); reboot(RB_POWER_OFF); reboot(RB_AUTOBOOT); for (;;) pause(); }
`;

const scratch = await mkdtemp(join(tmpdir(), "qemu-bench-"));
const initrd = join(scratch, "initramfs.cpio");

async function makeInitramfs(): Promise<void> {
  await writeFile(join(scratch, "init.c"), INIT);
  execFileSync("gcc", ["-Os", "-static", "-o", join(scratch, "init"), join(scratch, "init.c")]);
  const entry = (name: string, mode: number, device: number, data: Buffer): Buffer => {
    const fields = [0, mode, 0, 0, 1, 0, data.length, 0, 0, device === 0 ? 0 : 5, device, name.length + 1, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
    const pad = (length: number): Buffer => Buffer.alloc(-length & 3);
    return Buffer.concat([Buffer.from(head), pad(head.length), data, pad(data.length)]);
  };
  const init = execFileSync("cat", [join(scratch, "init")], { maxBuffer: 1 << 26 });
  const none = Buffer.alloc(0);
  await writeFile(
    initrd,
    Buffer.concat([
      entry("dev", 0o40755, 0, none),
      // /dev/console: character device 5:1
      entry("dev/console", 0o20600, 1, none),
      entry("init", 0o100755, 0, init),
      entry("TRAILER!!!", 0, 0, none),
    ]),
  );
}

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

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

try {
  await makeInitramfs();
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
