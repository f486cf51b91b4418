import { expect, test } from "vitest";
import { BOOT_SYMPTOMS, describeResult, findSymptoms, machine, type BootResult } from "../src/index.ts";
import { parseRegisters } from "../src/cpu-state.ts";
import { diagnose, type Evidence } from "../src/doctor.ts";

// Lines as kernels print them; those that a real boot shows here are in the suite of failing boots.
test.each([
  [
    "Initramfs unpacking failed: compression method lzop not configured",
    "initramfs-compression",
    /unpack lzop/,
  ],
  ["Initramfs unpacking failed: write error", "initramfs-memory", /memory is too small/],
  [
    "Initramfs unpacking failed: XZ-compressed data is corrupt",
    "initramfs-damaged",
    /XZ-compressed data is corrupt/,
  ],
  [
    "Kernel panic - not syncing: Requested init /sbin/init failed (error -2).",
    "init-missing-loader",
    /\/sbin\/init/,
  ],
  ["Failed to execute /init (error -12)", "init-error", /error -12/],
  [
    "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [insmod:71]",
    "soft-lockup",
    /Processor 1 was stuck.* for 26s/,
  ],
  ["rcu: INFO: rcu_sched self-detected stall on CPU", "rcu-stall", /stuck/],
  ["INFO: task mount:77 blocked for more than 120 seconds.", "hung-task", /task mount:77 waits.* 120 s/],
  ["Internal error: Oops: 0000000096000045 [#1] SMP", "oops", /0000000096000045/],
  ["Loading of unsigned module is rejected", "module-signature", /signature/],
  ["dummy: version magic '6.1.0 SMP' should be '6.12.0 SMP'", "module-version", /dummy is of another kernel/],
  [
    "virtio_net: Unknown symbol net_failover_create (err -2)",
    "module-symbol",
    /virtio_net lacks .* net_failover_create/,
  ],
  ["Attempted to kill init! exitcode=0x0000000b", "init-killed", /killed by SIGSEGV/],
  ["Attempted to kill init! exitcode=0x00007f00", "init-exited", /status 127/],
])("%s", (line, id, message) => {
  const [first] = findSymptoms(["[    0.1] something else", `[    1.234567] ${line}\r`]);
  expect(first).toMatchObject({
    id,
    message: expect.stringMatching(message),
    line: `[    1.234567] ${line}`,
  });
});

test("of several symptoms the most telling stands first, each once, whatever the order on the console", () => {
  const found = findSymptoms([
    "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
    "Initramfs unpacking failed: read error",
    "Initramfs unpacking failed: junk",
  ]);
  expect(found.map(({ id }) => id)).toEqual(["initramfs-damaged", "no-init"]);
  expect(new Set(BOOT_SYMPTOMS.map(({ id }) => id)).size).toBe(BOOT_SYMPTOMS.length);
  expect(findSymptoms(["x".repeat(1 << 20), "Linux version 6.12"])).toEqual([]);
});

test("what QEMU tells of the processors", () => {
  const x86 = (flags: string): string =>
    `\r\nCPU#0\r\nRAX=0 RBX=0\r\nRIP=ffffffff81a17a0b RFL=${flags}\r\nES =0000 00000000\r\n`;
  expect(parseRegisters(x86("00000246 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1"), "x86_64")).toEqual([
    { pc: "0xffffffff81a17a0b", halted: true, interrupts: true, user: false },
  ]);
  const arm64 = "\r\nCPU#0\r\n PC=ffff800008011234 X00=0\r\nPSTATE=600000c5 -ZC- EL1h    FPU disabled\r\n";
  expect(
    parseRegisters(`${arm64}${arm64.replace("600000c5 -ZC- EL1h", "60000000 -ZC- EL0t")}`, "arm64"),
  ).toEqual([
    { pc: "0xffff800008011234", interrupts: false, user: false },
    { pc: "0xffff800008011234", interrupts: true, user: true },
  ]);
  expect(parseRegisters("\r\nCPU#0\r\n V      =   0\r\n pc       ffffffff80001000\r\n", "riscv64")).toEqual([
    { pc: "0xffffffff80001000" },
  ]);
});

test("what a machine that is out of time is doing", () => {
  const idle = { pc: "0x1", halted: true, interrupts: true, user: false };
  const of = (...cpus: Evidence["cpus"][number][]): (string | undefined)[] => {
    const end = { kind: "timeout", deadline: "total", limit: 1000 } as const;
    const spec = machine({ kernel: "k" });
    return diagnose({ end, phase: "kernel", machine: spec, symptoms: [], unpacking: true, cpus }).map(
      ({ id }) => id,
    );
  };
  const off = { ...idle, interrupts: false };
  const busy = { ...idle, halted: false };
  expect(of([idle], [busy], [idle])).toEqual(["idle"]);
  expect(of([off, off], [off, off])).toEqual(["halted"]);
  expect(of([{ ...off, halted: false }, idle], [{ ...off, halted: false }, idle])).toEqual([
    "interrupts-off",
  ]);
  expect(of([{ ...busy, user: true }, idle], [{ ...busy, user: true }, idle])).toEqual(["busy-program"]);
  expect(of([busy], [{ ...busy, user: true }], [idle])).toEqual(["busy-program"]);
  expect(of([busy], [busy])).toEqual(["busy-kernel"]);
  expect(of([{ pc: "0x1" }])).toEqual([]);
  expect(of()).toEqual([]);
});

test("the cause stands in the words of a failure, and not in those of a success", () => {
  const [cause] = findSymptoms(["Attempted to kill init! exitcode=0x00000300"]);
  const facts = { diagnoses: [cause], times: { end: 2000 }, arch: "x86_64", command: "" };
  const panic = { ...facts, kind: "panic", message: "Attempted to kill init!" } as unknown as BootResult;
  expect(describeResult(panic).message).toMatch(/^The kernel panicked: Attempted to kill init! \/init ended/);
  expect(describeResult({ ...facts, kind: "poweroff" } as unknown as BootResult)).toEqual({
    message: "The guest powered off after 2.00 s",
  });
});
