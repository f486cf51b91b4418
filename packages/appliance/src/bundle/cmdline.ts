import type { ResolvedSpec } from "../spec/resolved.ts";

// The first serial port, by the name that its driver gives it.
const CONSOLES: Readonly<Record<ResolvedSpec["arch"], string>> = {
  x86_64: "ttyS0",
  arm64: "ttyAMA0",
  riscv64: "ttyS0",
};

/**
 * The kernel command line. The last console= is the one that programs write to. panic=-1 makes a panic end the
 * machine at once; init=/init beside the default rdinit=/init makes a kernel whose /init cannot be started say
 * so, where it would otherwise fall back to a /bin/sh that waits for ever (init/main.c, kernel_init).
 *
 * @param presets what the spec's presets want there.
 */
export function kernelCommandLine(spec: ResolvedSpec, presets: readonly string[]): string {
  const own = ["console=tty0", `console=${CONSOLES[spec.arch]}`, "panic=-1", "init=/init"];
  return [...own, ...presets, spec.kernel.cmdline].filter((part) => part !== "").join(" ");
}
