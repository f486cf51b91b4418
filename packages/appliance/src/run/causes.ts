/** Why a boot failed, in words. */
export interface BootCause {
  readonly cause: string;
  readonly hint: string;
}

interface Pattern {
  readonly seen: RegExp;
  readonly explain: (match: RegExpExecArray) => BootCause;
}

const execErrors: Readonly<Record<string, BootCause>> = {
  "-2": {
    cause: "/init, or the loader or interpreter that it names, is not in the initramfs",
    hint: "look at its first line or, for a dynamic program, its loader: 'initramfs list'",
  },
  "-8": {
    cause:
      "the kernel cannot execute /init: wrong architecture, no #! line, or the kernel lacks BINFMT_ELF or BINFMT_SCRIPT",
    hint: "'file' tells what it is; the feature \"base\" brings both formats",
  },
  "-13": { cause: "/init is not executable", hint: "give it mode 0755" },
};

// Seen on real consoles; the more telling line stands first, since one failure prints several.
const patterns: readonly Pattern[] = [
  {
    seen: /Initramfs unpacking failed: Input was encoded with settings that are not supported/,
    explain: () => ({
      cause: "the initramfs is compressed in a way that the kernel does not know",
      hint: "xz needs --check=crc32",
    }),
  },
  {
    seen: /Initramfs unpacking failed: (invalid magic at start of compressed archive|compression method (\w+) not configured)/,
    explain: () => ({
      cause: "this kernel cannot unpack the initramfs's compression",
      hint: "choose another compression, or set RD_GZIP or RD_ZSTD in kernel.config",
    }),
  },
  {
    seen: /Initramfs unpacking failed: (.*)/,
    explain: ([, why]) => ({
      cause: `the initramfs could not be unpacked: ${why}`,
      hint: "it is damaged, or the memory is too small for it",
    }),
  },
  {
    seen: /Failed to execute \/init \(error (-\d+)\)|Requested init \/init failed \(error (-\d+)\)/,
    explain: ([, a, b]) =>
      execErrors[a ?? b ?? ""] ?? {
        cause: `/init could not be started (error ${a ?? b})`,
        hint: "errno tells why",
      },
  },
  {
    seen: /VFS: Unable to mount root fs on (\S+)/,
    explain: () => ({
      cause: "the kernel found no /init in the initramfs, or no initramfs",
      hint: "the kernel needs BLK_DEV_INITRD, and /init has to be at the top of the archive",
    }),
  },
  {
    seen: /Attempted to kill init! exitcode=0x([0-9a-f]{8})/,
    explain: ([, code = "0"]) => {
      const status = Number.parseInt(code, 16);
      const how =
        (status & 0x7f) === 0
          ? `ended with status ${(status >> 8) & 0xff}`
          : `was killed by signal ${status & 0x7f}`;
      return {
        cause: `/init ${how}: no fault of the kernel, but nothing may end process 1`,
        hint: "let /init power off when it is done",
      };
    },
  },
  {
    seen: /Out of memory and no killable processes|System is deadlocked on memory/,
    explain: () => ({ cause: "the memory is too small", hint: "give it more with 'memory:' or --memory" }),
  },
  {
    seen: /Unknown symbol (\S+)/,
    explain: ([, symbol]) => ({
      cause: `a kernel module lacks the symbol ${symbol}`,
      hint: "modules must come from this very kernel, each after those that it depends on",
    }),
  },
];

/** The first known cause that the console's text shows. */
export function findCause(text: string): BootCause | undefined {
  for (const { seen, explain } of patterns) {
    const match = seen.exec(text);
    if (match) return explain(match);
  }
  return undefined;
}
