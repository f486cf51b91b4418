/** What is wrong is in the kernel: one that is built without what it needs, and one with a module that has a fault. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildKernel, buildModules } from "@justenough/kernel";
import type { BuildOptions } from "@justenough/kernel";
import type { MachineSpec } from "@justenough/qemu";
import { MODULAR_KERNEL } from "../../../packages/kernel/test/support/built-kernel.ts";
import { DEBIAN } from "../../../packages/kernel/test/support/debian.ts";
import { archive, script } from "./archive.ts";
import type { Bench, Fault } from "./fault.ts";

const MODULE = `#include <linux/module.h>
#include <linux/irqflags.h>
static char *how = "";
module_param(how, charp, 0);
static int __init fault_init(void)
{
	if (!strcmp(how, "oops"))
		*(volatile int *)8 = 0;
	if (!strcmp(how, "irqs-off")) {
		pr_alert("now\\n");
		local_irq_disable();
		for (;;)
			barrier();
	}
	return 0;
}
module_init(fault_init);
MODULE_DESCRIPTION("has a fault");
MODULE_LICENSE("GPL");
`;

/** A kernel of the tests that knows no initramfs. */
const BARE_KERNEL: BuildOptions = {
  source: DEBIAN,
  base: "tinyconfig",
  features: ["serial"],
  config: { "64BIT": "y", PRINTK: "y", TTY: "y", HYPERVISOR_GUEST: "y", PVH: "y" },
};

interface Faulty {
  readonly kernel: string;
  readonly module: Uint8Array;
}

const built = new WeakMap<Bench, Promise<Faulty>>();

async function build(bench: Bench): Promise<Faulty> {
  const kernel = await buildKernel(MODULAR_KERNEL);
  const directory = join(bench.scratch, "module");
  await mkdir(directory);
  await writeFile(join(directory, "Makefile"), "obj-m := fault.o\n");
  await writeFile(join(directory, "fault.c"), MODULE);
  const modules = await buildModules({ kernel, directory });
  return { kernel: kernel.image, module: await readFile(join(modules.directory, "updates/fault.ko")) };
}

async function withModule(bench: Bench, how: string, cmdline: string): Promise<MachineSpec> {
  const faulty = built.get(bench) ?? build(bench);
  built.set(bench, faulty);
  const { kernel, module } = await faulty;
  const init = script(`insmod /fault.ko how=${how}; while :; do sleep 1000; done`);
  return {
    kernel,
    initrd: [await archive(init, { more: [{ type: "file", name: "fault.ko", data: module }] })],
    cmdline,
  };
}

export const KERNEL_FAULTS: readonly Fault[] = [
  {
    name: "the kernel has no support for an initramfs",
    machine: async () => ({
      kernel: (await buildKernel(BARE_KERNEL)).image,
      initrd: [await archive(script("poweroff -f"))],
    }),
    expected: { end: { kind: "panic" }, diagnosis: "initrd-ignored", words: /BLK_DEV_INITRD/ },
  },
  {
    name: "an oops after which the system goes on",
    machine: (bench) => withModule(bench, "oops", "console=ttyS0"),
    options: { deadlines: { idle: 5000 } },
    expected: {
      end: { kind: "timeout" },
      diagnosis: "oops",
      words: /fault of its own: BUG: kernel NULL pointer/,
    },
  },
  {
    name: "an oops that is a panic",
    machine: (bench) => withModule(bench, "oops", "console=ttyS0 oops=panic"),
    expected: { end: { kind: "panic" }, diagnosis: "oops", words: /Fatal exception.*fault of its own/ },
  },
  {
    name: "the kernel hangs with interrupts off",
    machine: (bench) => withModule(bench, "irqs-off", "console=ttyS0"),
    options: { deadlines: { idle: 5000 } },
    expected: {
      end: { kind: "timeout" },
      diagnosis: "interrupts-off",
      words: /interrupts off, at 0xffffffff/,
    },
  },
];
