import { createHash } from "node:crypto";
import {
  access,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Wiring } from "../argv.ts";
import { cacheRoot } from "./cache-root.ts";
import type { Machine } from "../machine.ts";
import { hasPvhEntry, unpackVmlinux } from "../vmlinux.ts";
import type { QemuBinary } from "./qemu-binary.ts";
import { tscFrequency } from "./tsc-frequency.ts";

/** What takes the place of the machine's own. */
export type DirectBoot = Pick<Wiring, "firmware" | "kernel" | "cmdline">;

/** How many unpacked kernels are kept; each takes tens of megabytes. */
const KEPT = 8;

/**
 * A PC that boots a kernel directly needs little of a firmware, and a kernel that the host unpacks has not to unpack itself
 * in an emulated processor: qboot in place of SeaBIOS and the vmlinux inside the bzImage, entered by PVH, halve the time to
 * /init. Not with a screen, which SeaBIOS and the kernel's real-mode code set up, nor with a firmware that was asked for.
 * And a kernel in an emulated machine is told what it could find out only on an idle host.
 */
export async function directBoot(
  machine: Machine,
  accel: "kvm" | "tcg",
  qemu: QemuBinary,
  cacheDir: string | undefined,
): Promise<DirectBoot> {
  const { kernel } = machine;
  if (machine.arch !== "x86_64" || machine.boot !== "kernel" || kernel === undefined) return {};
  const plain = !machine.vga && machine.firmware === undefined;
  const [cmdline, firmware, vmlinux] = await Promise.all([
    accel === "tcg" ? emulatedCmdline(machine, qemu, cacheDir) : undefined,
    plain ? findQboot(qemu.path) : undefined,
    plain
      ? unpackedKernel(kernel, join(cacheRoot(cacheDir), "qemu", "vmlinux")).catch(() => undefined)
      : undefined,
  ]);
  return { cmdline, firmware, kernel: vmlinux };
}

/**
 * With what an emulated machine has to be told: that its timer works, which a kernel of a PC finds broken when the host is
 * busy (linux arch/x86/kernel/apic/io_apic.c, check_timer()), and how fast its clock counts. First, since what follows "--" is
 * for init.
 */
async function emulatedCmdline(
  { cmdline, extraArgs }: Machine,
  qemu: QemuBinary,
  cacheDir: string | undefined,
): Promise<string> {
  // With -icount the counter follows the instructions, not the host's clock.
  const own = /\btsc_early_khz=|\bnotsc\b/.test(cmdline) || extraArgs.includes("-icount");
  const khz = own ? undefined : await tscFrequency(qemu, cacheDir);
  const words = ["no_timer_check", ...(khz === undefined ? [] : [`tsc_early_khz=${khz}`]), cmdline];
  return words.filter((word) => word !== "").join(" ");
}

// QEMU's own data directory: below the same prefix, whatever that is.
async function findQboot(qemu: string): Promise<string | undefined> {
  const places = [join(dirname(qemu), "../share/qemu"), "/usr/share/qemu", "/usr/local/share/qemu"];
  for (const place of places) {
    const file = join(place, "qboot.rom");
    const found = await access(file).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

/** The vmlinux of a bzImage with a PVH entry, kept; undefined for whatever QEMU is to be given as it is. */
async function unpackedKernel(kernel: string, directory: string): Promise<string | undefined> {
  const { size, mtimeMs, ctimeMs, ino, dev } = await stat(kernel);
  const key = JSON.stringify([1, kernel, size, mtimeMs, ctimeMs, ino, dev]);
  const digest = createHash("sha256").update(key).digest("hex").slice(0, 16);
  const path = join(directory, `${basename(kernel)}-${digest}`);
  const now = new Date();
  const known = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  // An empty file stands for a kernel that has none.
  if (known) return (await stat(path)).size > 0 ? path : undefined;
  if (!(await isBzImage(kernel))) return undefined;
  const vmlinux = await unpackVmlinux(await readFile(kernel));
  const usable = vmlinux !== undefined && hasPvhEntry(vmlinux);
  await mkdir(directory, { recursive: true });
  const part = `${path}.${process.pid}.part`;
  try {
    await writeFile(part, usable ? vmlinux : "");
    await rename(part, path);
  } finally {
    await rm(part, { force: true });
  }
  await trim(directory);
  return usable ? path : undefined;
}

async function isBzImage(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0x202);
    return bytesRead === 4 && buffer.toString("latin1") === "HdrS";
  } finally {
    await file.close();
  }
}

async function trim(directory: string): Promise<void> {
  const names = (await readdir(directory)).map((name) => join(directory, name));
  // Another process may rename or remove one just now.
  const dated = await Promise.all(
    names.map(async (path) => ({ path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  const old = dated.sort((a, b) => b.at - a.at).slice(KEPT);
  for (const { path } of old) await rm(path, { force: true });
}
