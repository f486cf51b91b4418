import { QemuError } from "./errors.ts";
import type { Machine } from "./machine.ts";
import { optionValue } from "./internal/option-value.ts";

/** QEMU's arguments for its gdb server; the guest waits for the debugger's "continue". */
export function gdbArguments(gdb: number | string | undefined): string[] {
  if (gdb === undefined) return [];
  return [
    "-gdb",
    typeof gdb === "number" ? `tcp:127.0.0.1:${gdb}` : `unix:${optionValue(gdb)},server=on,wait=off`,
  ];
}

/**
 * The debugger's command for a machine that waits for one, with the kernel's vmlinux (with symbols) in the working
 * directory.
 *
 * @throws QemuError `QEMU_SPEC_INVALID` for a machine without `gdb`
 * @example
 * ```ts
 * import { gdbCommand, machine } from "@justenough/qemu";
 * console.log(gdbCommand(machine({ kernel: "bzImage", gdb: 1234 })).join(" "));
 * ```
 */
export function gdbCommand({ gdb, arch }: Machine): string[] {
  if (gdb === undefined) throw new QemuError("QEMU_SPEC_INVALID", `The machine has no "gdb"`);
  const own = { x64: "x86_64", arm64: "arm64", riscv64: "riscv64" }[process.arch as string] === arch;
  const target = typeof gdb === "number" ? `localhost:${gdb}` : gdb;
  return [own ? "gdb" : "gdb-multiarch", "vmlinux", "-ex", `target remote ${target}`];
}
