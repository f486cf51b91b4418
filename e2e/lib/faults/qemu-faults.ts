/** What is wrong is QEMU, or what it is given. */
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { archive, script } from "./archive.ts";
import type { Bench, Fault } from "./fault.ts";

async function program({ scratch }: Bench, name: string, text: string): Promise<string> {
  const path = join(scratch, name);
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
  return path;
}

const waiting = async (): Promise<{ initrd: Uint8Array[] }> => ({
  initrd: [await archive(script("echo waiting; sleep 1000"))],
});

export const QEMU_FAULTS: readonly Fault[] = [
  {
    name: "QEMU is missing",
    machine: () => ({ binary: "qemu-system-none" }),
    expected: { end: "QEMU_NOT_FOUND", words: /apt-get install qemu-system-x86/ },
  },
  {
    name: "QEMU is too old",
    machine: async (bench) => ({
      binary: await program(bench, "old-qemu", "echo QEMU emulator version 5.2.0"),
    }),
    expected: { end: "QEMU_TOO_OLD", words: /5\.2/ },
  },
  {
    name: "QEMU refuses an option",
    machine: () => ({ extraArgs: ["-device", "nonsense"] }),
    expected: { end: "QEMU_START_FAILED", words: /nonsense/ },
  },
  {
    name: "QEMU never answers",
    machine: async (bench) => ({
      binary: await program(
        bench,
        "mute-qemu",
        '[ "$1" = --version ] && { echo QEMU emulator version 8.2.0; exit; }; exec sleep 1000',
      ),
      cmdline: "console=ttyS0 notsc",
      accel: "tcg",
    }),
    options: { deadlines: { spawn: 1000 } },
    expected: { end: "QEMU_START_FAILED", words: /did not answer within 1/ },
  },
  {
    name: "QEMU crashes",
    machine: waiting,
    act: async (vm) => {
      await vm.console.expect("waiting");
      process.kill(vm.pid, "SIGABRT");
    },
    expected: { end: { kind: "qemu-error", signal: "SIGABRT" }, words: /QEMU ended by SIGABRT/ },
  },
  {
    name: "QEMU is killed",
    machine: waiting,
    act: async (vm) => {
      await vm.console.expect("waiting");
      process.kill(vm.pid, "SIGKILL");
    },
    expected: { end: { kind: "qemu-error", signal: "SIGKILL" }, words: /QEMU ended by SIGKILL/ },
  },
  {
    name: "the kernel is of another architecture",
    machine: async ({ scratch }) => {
      const image = Buffer.alloc(1 << 20);
      image.write("ARMd", 0x38, "latin1"); // linux Documentation/arch/arm64/booting.rst
      const kernel = join(scratch, "Image");
      await writeFile(kernel, image);
      return { kernel };
    },
    expected: { end: "QEMU_SPEC_INVALID", words: /arm64/ },
  },
  {
    name: "the kernel is none",
    machine: () => ({ kernel: "/etc/passwd" }),
    expected: { end: "QEMU_SPEC_INVALID", words: /no kernel/ },
  },
];
