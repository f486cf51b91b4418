import type { ResolvedSpec } from "../spec/resolved.ts";

/**
 * The kernel command line. The last console= is the one that programs write to. panic=-1 makes a panic end the
 * machine at once; init=/init beside the default rdinit=/init makes a kernel whose /init cannot be started say
 * so, where it would otherwise fall back to a /bin/sh that waits for ever (init/main.c, kernel_init).
 */
export function kernelCommandLine(spec: ResolvedSpec): string {
  const own = ["console=tty0", "console=ttyS0", "panic=-1", "init=/init"];
  return [...own, spec.kernel.cmdline].filter((part) => part !== "").join(" ");
}
