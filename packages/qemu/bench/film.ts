/**
 * What a film costs: whole boots with a screen, without a film and with one (an animated PNG), one after the other in
 * turns; medians and their ratio, of the time until the guest has powered off and until all is written.
 *
 *     node packages/qemu/bench/film.ts [--rounds 7] [--fps 10] [--append TEXT] KERNEL…
 *
 * KERNEL is a bzImage with VGA and serial console, such as the distribution's (`kbuild distro`).
 */
import { readFileSync } from "node:fs";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { launch } from "../src/index.ts";
import { makeInitramfs } from "./initramfs.ts";
import { median } from "./median.ts";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string" }, fps: { type: "string" }, append: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds ?? 7);
const fps = Number(values.fps ?? 10);
const scratch = await mkdtemp(join(tmpdir(), "qemu-bench-"));
const initrd = join(scratch, "initramfs.cpio");

interface Boot {
  /** Milliseconds from the first instruction to the guest's power-off. */
  readonly off: number;
  /** Milliseconds from the call of `launch` to the end of `wait`. */
  readonly all: number;
  /** Milliseconds of processor time that QEMU has used until then: what a host with a core to spare feels. */
  readonly cpu: number;
  readonly kept: number;
  readonly bytes: number;
}

async function boot(kernel: string, path?: string): Promise<Boot> {
  const began = performance.now();
  const cmdline = ["console=tty0 console=ttyS0", values.append ?? ""].join(" ");
  await using vm = await launch(
    { kernel, initrd: [initrd], cmdline, accel: "tcg", vga: true },
    { deadlines: { total: 120_000 } },
  );
  const running = performance.now();
  const film = path === undefined ? undefined : await vm.screen.film(path, { fps });
  let off = Number.NaN;
  for await (const { event } of vm.qmp.events()) {
    if (event !== "SHUTDOWN") continue;
    off = performance.now() - running;
    break;
  }
  const cpu = processorTime(vm.pid);
  const { kind } = await vm.wait();
  if (kind !== "poweroff") throw new Error(`The boot ended with ${kind}`);
  const bytes = path === undefined ? 0 : (await stat(path)).size;
  return { off, all: performance.now() - began, cpu, kept: film?.kept ?? 0, bytes };
}

/** utime and stime of proc(5), in ticks of a hundredth of a second; at once, since QEMU is about to go. */
function processorTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

try {
  await makeInitramfs(initrd);
  for (const kernel of positionals) {
    const [without, filmed]: [Boot[], Boot[]] = [[], []];
    // What is found out once per boot of the host is not counted.
    await boot(kernel);
    for (let round = 0; round < rounds; round++) {
      without.push(await boot(kernel));
      filmed.push(await boot(kernel, join(scratch, "film.png")));
    }
    const of = (boots: readonly Boot[], key: keyof Boot): number => median(boots.map((one) => one[key]));
    const ratio = (key: "off" | "all" | "cpu"): string => {
      const [a, b] = [of(without, key), of(filmed, key)];
      return `${a.toFixed(0)} ms without, ${b.toFixed(0)} ms with a film (${(b / a).toFixed(3)})`;
    };
    const largest = Math.max(...filmed.map(({ bytes }) => bytes));
    console.log(
      `${basename(kernel)}: to the power-off ${ratio("off")}; all ${ratio("all")}; ` +
        `processor time of QEMU ${ratio("cpu")}; ` +
        `${of(filmed, "kept")} pictures, ${(of(filmed, "bytes") / 1000).toFixed(0)} kB, at most ${(largest / 1000).toFixed(0)} kB`,
    );
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
