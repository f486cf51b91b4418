/** Guests of the virt machines that need no kernel: a few kilobytes of machine code, made by a cross compiler. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const exec = promisify(execFile);
const SOURCE = new URL("bare-metal/guest.c", import.meta.url).pathname;

const FLAGS = [
  ["-Os", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-nostdlib", "-static", "-fno-pic", "-no-pie"],
  // The entry is at the beginning; nothing but plain loads and stores works without page tables.
  ["-fno-toplevel-reorder", "-mstrict-align", "-fno-stack-protector", "-fno-asynchronous-unwind-tables"],
  ["-Wl,--build-id=none,--entry=start,-z,noseparate-code"],
].flat();

/** Where QEMU puts a kernel. */
const TARGETS = {
  arm64: { triple: "aarch64-linux-gnu", flags: ["-mgeneral-regs-only", "-Wl,-Ttext=0x40080000"] },
  riscv64: { triple: "riscv64-linux-gnu", flags: ["-mcmodel=medany", "-Wl,-Ttext=0x80200000"] },
} as const;

export interface BareMetalGuest {
  readonly kernel: string;
  remove(): Promise<void>;
}

export async function buildBareMetalGuest(arch: keyof typeof TARGETS): Promise<BareMetalGuest> {
  const { triple, flags } = TARGETS[arch];
  const directory = await mkdtemp(join(tmpdir(), "qemu-bare-metal-"));
  const elf = join(directory, "guest.elf");
  const kernel = join(directory, "guest.bin");
  await exec(`${triple}-gcc`, [...FLAGS, ...flags, "-o", elf, SOURCE]);
  await exec(`${triple}-objcopy`, ["-O", "binary", elf, kernel]);
  return { kernel, remove: () => rm(directory, { recursive: true, force: true }) };
}
