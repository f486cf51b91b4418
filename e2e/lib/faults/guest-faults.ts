/** What is wrong is in the initramfs, on the command line or with the machine; the kernel is a distribution's. */
import { readFile } from "node:fs/promises";
import { archive, ballast, compiled, compressed, script } from "./archive.ts";
import type { Fault } from "./fault.ts";

const panic = { kind: "panic", source: "console" };
const initrd = async (...parts: Parameters<typeof archive>): Promise<{ initrd: Uint8Array[] }> => ({
  initrd: [await archive(...parts)],
});

export const GUEST_FAULTS: readonly Fault[] = [
  {
    name: "no /init",
    machine: () => initrd(),
    expected: { end: { ...panic, phase: "kernel" }, diagnosis: "no-init", words: /found no \/init/ },
  },
  {
    name: "/init is not executable",
    machine: () => initrd(script("poweroff -f"), { mode: 0o644 }),
    expected: { end: panic, diagnosis: "init-not-executable", words: /\/init is not executable/ },
  },
  {
    name: "the loader of /init is missing",
    machine: async () => initrd(await readFile("/bin/true")),
    expected: { end: panic, diagnosis: "init-missing-loader", words: /loader or interpreter/ },
  },
  {
    name: "the interpreter of /init is missing",
    machine: () => initrd("#!/bin/none\n"),
    expected: { end: panic, diagnosis: "init-missing-loader", words: /loader or interpreter/ },
  },
  {
    name: "/init has no #! line",
    machine: () => initrd("echo hello\n"),
    expected: { end: panic, diagnosis: "init-no-format", words: /no #! line/ },
  },
  {
    name: "/init is for another architecture",
    machine: async () => {
      const program = await readFile("/bin/busybox");
      program.writeUInt16LE(183, 18); // e_machine: EM_AARCH64
      return initrd(program);
    },
    expected: { end: panic, diagnosis: "init-no-format", words: /another architecture/ },
  },
  {
    name: "/init ends",
    machine: () => initrd(script("exit 3")),
    expected: { end: panic, diagnosis: "init-exited", words: /\/init ended with status 3/ },
  },
  {
    name: "/init crashes",
    machine: async (bench) => initrd(await compiled(bench, "*(volatile int *)0 = 0;")),
    expected: { end: panic, diagnosis: "init-killed", words: /killed by SIGSEGV/ },
  },
  {
    name: "the initramfs is truncated",
    machine: async () => {
      const whole = await compressed(["gzip", "-1"], await archive(script("poweroff -f")));
      return { initrd: [whole.subarray(0, whole.length / 2)] };
    },
    expected: { end: panic, diagnosis: "initramfs-damaged", words: /truncated or damaged/ },
  },
  {
    name: "the initramfs is compressed with settings that the kernel has not",
    machine: async () => ({
      initrd: [await compressed(["xz", "-1", "--check=crc64"], await archive(script("poweroff -f")))],
    }),
    expected: { end: panic, diagnosis: "initramfs-settings", words: /--check=crc32/ },
  },
  {
    name: "the initramfs is something else",
    machine: () => ({ initrd: [Buffer.from("this is no archive\n".repeat(1000))] }),
    expected: { end: panic, diagnosis: "initramfs-magic", words: /no cpio archive/ },
  },
  {
    name: "the memory is too small for the initramfs",
    machine: async (bench) => ({ initrd: [await ballast(bench)], memory: "192M" }),
    expected: { end: panic, diagnosis: "memory", words: /memory is too small/ },
  },
  {
    name: "a root device that is not there",
    machine: () => ({ cmdline: "console=ttyS0 root=/dev/vda1" }),
    expected: { end: panic, diagnosis: "root-device", words: /root device (\/dev\/)?vda1 is not there/ },
  },
  {
    name: "a panic of a running system",
    machine: () => initrd(script("echo c > /proc/sysrq-trigger")),
    expected: { end: { ...panic, phase: "init" }, words: /sysrq triggered crash/ },
  },
  {
    name: "a panic that restarts at once",
    machine: async () => ({
      ...(await initrd(script("echo c > /proc/sysrq-trigger"))),
      cmdline: "console=ttyS0 panic=-1",
    }),
    expected: { end: panic, words: /sysrq triggered crash/ },
  },
  {
    name: "a panic before there is a console",
    machine: () => ({ cmdline: "console=ttyS0 mem=2M" }),
    options: { deadlines: { firstOutput: 6000 } },
    expected: {
      end: { kind: "no-console", deadline: "firstOutput" },
      diagnosis: "busy-kernel",
      words: /given up and cannot say so/,
    },
  },
  {
    name: "a guest that waits for ever",
    machine: () => initrd(script("echo waiting; read -r line < /dev/ttyS0")),
    options: { deadlines: { idle: 6000 } },
    expected: { end: { kind: "timeout", deadline: "idle" }, diagnosis: "idle", words: /silent for .*idle/ },
  },
  {
    name: "a program that computes for ever",
    machine: () => initrd(script("echo busy; while :; do :; done")),
    options: { deadlines: { idle: 6000 } },
    expected: { end: { kind: "timeout", deadline: "idle" }, diagnosis: "busy-program", words: /computing/ },
  },
  {
    name: "a guest that is never ready",
    machine: () => initrd(script("echo waiting; while :; do sleep 1; echo still; done")),
    options: { ready: /login:/, deadlines: { ready: 8000 } },
    expected: {
      end: { kind: "timeout", deadline: "ready" },
      diagnosis: "idle",
      words: /was not ready within /,
    },
  },
  {
    name: "the console is on another port",
    machine: async () => ({ ...(await initrd(script("sleep 1000"))), cmdline: "console=ttyS3" }),
    options: { deadlines: { firstOutput: 7000 } },
    expected: { end: { kind: "no-console" }, diagnosis: "idle", words: /console=ttyS0/ },
  },
  {
    name: "a guest that halts",
    machine: () => initrd(script("halt -f")),
    expected: { end: { kind: "halt" }, words: /halted, without switching itself off/ },
  },
  {
    name: "a guest that restarts",
    machine: () => initrd(script("reboot -f")),
    expected: { end: { kind: "reboot" }, words: /asked for a reboot/ },
  },
  {
    name: "a guest that floods a console that nobody reads",
    machine: () =>
      initrd(script("dd if=/dev/zero bs=1k count=300 2>/dev/null | tr '\\000' x; sleep 1; poweroff -f")),
    expected: { end: { kind: "poweroff" }, words: /powered off/, console: 300 * 1024 },
  },
];
