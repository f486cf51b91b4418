import { open } from "node:fs/promises";
import { QemuError } from "../errors.ts";
import type { Arch } from "../machine.ts";

/** A Multiboot header may be anywhere in so much of a file, and all other marks are before. */
const HEAD_BYTES = 8192;
const ELF_MACHINES: Readonly<Record<number, Arch>> = {
  3: "x86_64",
  62: "x86_64",
  183: "arm64",
  243: "riscv64",
};

/**
 * Refuses a kernel that the machine can't start, which QEMU itself would do without a word or not at all. Marks of a kernel
 * image: linux Documentation/arch/x86/boot.rst, arm64/booting.rst, riscv/boot-image-header.rst.
 *
 * @throws QemuError `QEMU_SPEC_INVALID`
 */
export async function checkKernelImage(path: string, arch: Arch): Promise<void> {
  const file = await open(path);
  let head: Buffer;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    head = buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
  const is = kernelArch(head);
  if (is !== undefined && is !== arch) {
    throw new QemuError(
      "QEMU_SPEC_INVALID",
      `The kernel "${path}" is for ${is}, and the machine's architecture is ${arch}`,
      { hint: `Give the kernel's architecture, or another kernel` },
    );
  }
  // Elsewhere QEMU also starts a bare image without any mark.
  if (is === undefined && arch === "x86_64") {
    throw new QemuError(
      "QEMU_SPEC_INVALID",
      `"${path}" is no kernel: neither a bzImage nor an ELF or Multiboot file`,
      {
        hint: "Give the bzImage or vmlinux of a kernel, like /boot/vmlinuz",
      },
    );
  }
}

function kernelArch(head: Buffer): Arch | undefined {
  const mark = (offset: number, text: string): boolean =>
    head.toString("latin1", offset, offset + text.length) === text;
  if (mark(0x38, "ARM\u0064")) return "arm64";
  if (mark(0x30, "RISCV\0\0\0")) return "riscv64";
  if (mark(0, "\u007FELF") && head.length >= 20)
    return ELF_MACHINES[head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18)];
  if (mark(0x202, "HdrS") || mark(0x1fe, "\u0055\u00AA")) return "x86_64";
  return head.includes(Buffer.from([0x02, 0xb0, 0xad, 0x1b])) ? "x86_64" : undefined;
}
