import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test as base } from "vitest";
import { launch } from "./launch.ts";
import type { Machine, MachineSpec } from "./machine.ts";
import type { LaunchOptions, Vm } from "./vm.ts";

export interface QemuFixtures {
  /**
   * Starts a machine that ends with the test, however that ends. When the test fails, the console of each of its machines is
   * kept, in `qemu-logs/` in the working directory.
   */
  readonly boot: (spec: MachineSpec | Machine, options?: LaunchOptions) => Promise<Vm>;
}

const DIRECTORY = "qemu-logs";

/**
 * Vitest's `test` with machines.
 *
 * @example
 * ```ts no-run
 * import { test } from "@justenough/qemu/vitest";
 * test("my kernel reaches its init", async ({ boot }) => {
 *   const vm = await boot({ kernel: "bzImage", initrd: ["initramfs.cpio"], cmdline: "console=ttyS0" });
 *   await vm.console.expect("Run /init as init process", { timeout: 60_000 });
 * });
 * ```
 */
export const test = base.extend<QemuFixtures>({
  boot: async ({ task }, use) => {
    const launches: Promise<Vm>[] = [];
    const over = new AbortController();
    await use((spec, options = {}) => {
      const signals = [over.signal, ...(options.signal === undefined ? [] : [options.signal])];
      const starting = launch(spec, { ...options, signal: AbortSignal.any(signals) });
      launches.push(starting);
      return starting;
    });
    // A test that is out of time has not waited for what it had started.
    over.abort(new Error("The test has ended"));
    const machines: Vm[] = [];
    for (const end of await Promise.allSettled(launches))
      if (end.status === "fulfilled") machines.push(end.value);
    await Promise.all(machines.map((vm) => vm.kill()));
    if (task.result?.state !== "fail") return;
    await mkdir(DIRECTORY, { recursive: true });
    for (const [index, vm] of machines.entries()) {
      const path = join(DIRECTORY, `${fileName(task.name)}-${task.id}-${index + 1}.log`);
      await writeFile(path, vm.console.bytes());
      console.error(`The console of machine ${index + 1} is in ${path}. To run it by hand:\n${vm.printable}`);
    }
  },
});

function fileName(title: string): string {
  return title.replaceAll(/[^\w.-]+/g, "-").slice(0, 60);
}
