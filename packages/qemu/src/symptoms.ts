/** Something on the console that tells why a boot failed. Plain data but for the expression. */
export interface BootSymptom {
  readonly id: string;
  /** On one line of the console, cleaned of escape sequences. */
  readonly pattern: RegExp;
  /** What it means, in one sentence. `{1}` stands for what the first group matched, `{1|hex}` for its value as a number, `{1|signal}` for the signal of that number. */
  readonly message: string;
  /** What the reader can do. */
  readonly hint: string;
}

/**
 * The lines by which Linux tells of a failed boot, the most telling first, since one failure prints several: linux
 * init/main.c, init/initramfs.c, init/do_mounts.c, kernel/exit.c, kernel/panic.c, mm/oom_kill.c, kernel/watchdog.c,
 * kernel/rcu/tree_stall.h, kernel/module/main.c and the kernel's oopses.
 */
export const BOOT_SYMPTOMS: readonly BootSymptom[] = [
  {
    id: "initramfs-settings",
    pattern: /Initramfs unpacking failed: Input was encoded with settings that are not supported/,
    message: "The initramfs is compressed by xz in a way that the kernel does not know.",
    hint: "Compress it with xz --check=crc32",
  },
  {
    id: "initramfs-compression",
    pattern: /Initramfs unpacking failed: compression method (\w+) not configured/,
    message: "This kernel cannot unpack {1}.",
    hint: "Compress the initramfs otherwise, or build the kernel with CONFIG_RD_ and that name",
  },
  {
    id: "initramfs-magic",
    pattern:
      /Initramfs unpacking failed: (?:invalid magic at start of compressed archive|junk within compressed archive|no cpio magic)/,
    message: "The initramfs is no cpio archive, or is compressed in a way that this kernel cannot unpack.",
    hint: "cpio has to be of the format newc; see CONFIG_RD_GZIP, CONFIG_RD_ZSTD and their like",
  },
  {
    id: "initramfs-memory",
    pattern:
      /Initramfs unpacking failed: write error|RAMDISK: incomplete write|\brootfs image is not initramfs \(write error\)/,
    message: "The memory is too small for the unpacked initramfs.",
    hint: "Give the machine more memory",
  },
  {
    id: "initramfs-damaged",
    pattern: /Initramfs unpacking failed: (.+)/,
    message: "The initramfs could not be unpacked: {1}.",
    hint: "It is truncated or damaged: build it again",
  },
  {
    id: "init-missing-loader",
    pattern: /(?:Failed to execute|Requested init) (\/\S+) (?:failed )?\(error -2\)/,
    message: "{1}, or the loader or interpreter that it names, is not there.",
    hint: "Look at its first line or, for a dynamic program, at its loader (readelf -l)",
  },
  {
    id: "init-no-format",
    pattern: /(?:Failed to execute|Requested init) (\/\S+) (?:failed )?\(error -8\)/,
    message:
      "The kernel cannot execute {1}: it is for another architecture or has no #! line, or the kernel does not know its format.",
    hint: "`file` tells what it is; a kernel needs CONFIG_BINFMT_ELF or CONFIG_BINFMT_SCRIPT for it",
  },
  {
    id: "init-not-executable",
    pattern: /(?:Failed to execute|Requested init) (\/\S+) (?:failed )?\(error -13\)/,
    message: "{1} is not executable.",
    hint: "Give it mode 0755",
  },
  {
    id: "init-error",
    pattern: /(?:Failed to execute|Requested init) (\/\S+) (?:failed )?\(error (-\d+)\)/,
    message: "{1} could not be started (error {2}).",
    hint: "errno(3) names the error",
  },
  {
    id: "memory",
    pattern:
      /Out of memory and no killable processes|System is deadlocked on memory|Failed to allocate page table page|Cannot allocate trampoline|Can not allocate .* pages? for/,
    message: "The memory is too small.",
    hint: "Give the machine more memory",
  },
  {
    id: "root-device",
    pattern: /VFS: Cannot open root device "(?!\(null\))([^"]+)"/,
    message: "The root device {1} is not there.",
    hint: "Name an existing one in root=; the kernel needs the drivers of the disk and its file system built in",
  },
  {
    id: "no-init",
    pattern: /VFS: Unable to mount root fs on|No working init found/,
    message: "The kernel found no /init in the initramfs, or no initramfs.",
    hint: "/init has to be at the top of the archive, and the kernel needs CONFIG_BLK_DEV_INITRD",
  },
  {
    id: "oops",
    pattern:
      /(BUG: (?:kernel NULL pointer dereference|unable to handle).*|Oops: .*|Internal error: .*|general protection fault.*|kernel BUG at .*|Unable to handle kernel .*)/,
    message: "The kernel has a fault of its own: {1}.",
    hint: "The lines that follow it on the console have the call trace",
  },
  {
    id: "soft-lockup",
    pattern: /watchdog: BUG: soft lockup - CPU#(\d+) stuck for (\w+)/,
    message: "Processor {1} was stuck in the kernel for {2}.",
    hint: "The lines that follow it on the console have the call trace",
  },
  {
    id: "rcu-stall",
    pattern: /rcu: INFO: rcu_\w+ (?:self-)?detected stalls? on CPU/,
    message: "A processor is stuck in the kernel.",
    hint: "The lines that follow it on the console have the call trace; on a host that is too busy it may be slow only",
  },
  {
    id: "hung-task",
    pattern: /INFO: task (\S+) blocked for more than (\d+) seconds/,
    message: "The task {1} waits in the kernel for more than {2} s.",
    hint: "The lines that follow it on the console have the call trace",
  },
  {
    id: "init-exited",
    pattern: /Attempted to kill init! exitcode=0x0000([0-9a-f]{2})00/,
    message: "/init ended with status {1|hex}: no fault of the kernel, but nothing may end process 1.",
    hint: "Let /init power off when it is done",
  },
  {
    id: "init-killed",
    pattern: /Attempted to kill init! exitcode=0x000000([0-9a-f]{2})/,
    message: "/init was killed by {1|signal}.",
    hint: "A program crashed, not the kernel: look at the lines before",
  },
  {
    id: "module-signature",
    pattern: /Loading of (?:unsigned module|module with unavailable key) is rejected/,
    message: "The kernel wants a signature of each module, and one has none that it knows.",
    hint: "Sign it with the key of the kernel's build, or boot a kernel without CONFIG_MODULE_SIG_FORCE",
  },
  {
    id: "module-version",
    pattern: /\b([\w-]{1,64}): (?:version magic '[^']*' should be|disagrees about version of symbol)/,
    message: "The module {1} is of another kernel.",
    hint: "Take the modules of this very kernel",
  },
  {
    id: "module-symbol",
    pattern: /\b([\w-]{1,64}): Unknown symbol (\S+)/,
    message: "The module {1} lacks the symbol {2}.",
    hint: "Load the modules that it depends on before it, all of this very kernel: modules.dep",
  },
];
