/**
 * How far the boot came, judged by the console: nothing, something, the kernel's first line, its word that it runs /init
 * (neither is printed with `quiet`), or the caller's mark `ready`.
 */
export type BootPhase = (typeof BOOT_PHASES)[number];
/** In their order. */
export const BOOT_PHASES = ["silent", "output", "kernel", "init", "ready"] as const;
