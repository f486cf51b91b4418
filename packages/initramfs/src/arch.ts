/** The machines by the kernel's names. */
export type Arch = "x86_64" | "arm64" | "riscv64";

/** What distinguishes the machines for a closure. */
export interface ArchFacts {
  /** As ELF names it, see e_machine. */
  readonly elfMachine: number;
  readonly bits: 32 | 64;
  /** Debian's multiarch directory name. */
  readonly multiarch: string;
  /** What the loader puts for `$LIB` outside of multiarch distributions. */
  readonly lib: string;
  /** What the loader puts for `$PLATFORM`. */
  readonly platform: string;
  /** The flags of an entry of ld.so.cache, glibc's sysdeps/generic/ldconfig.h: libc6 and the ABI. */
  readonly cacheFlags: number;
  /** glibc's loader, for a library that names none. */
  readonly defaultLoader: string;
}

export const ARCHES: Readonly<Record<Arch, ArchFacts>> = {
  x86_64: {
    elfMachine: 62,
    bits: 64,
    multiarch: "x86_64-linux-gnu",
    lib: "lib64",
    platform: "x86_64",
    cacheFlags: 0x0303,
    defaultLoader: "/lib64/ld-linux-x86-64.so.2",
  },
  arm64: {
    elfMachine: 183,
    bits: 64,
    multiarch: "aarch64-linux-gnu",
    lib: "lib64",
    platform: "aarch64",
    cacheFlags: 0x0a03,
    defaultLoader: "/lib/ld-linux-aarch64.so.1",
  },
  riscv64: {
    elfMachine: 243,
    bits: 64,
    multiarch: "riscv64-linux-gnu",
    lib: "lib64/lp64d",
    platform: "riscv64",
    cacheFlags: 0x1003,
    defaultLoader: "/lib/ld-linux-riscv64-lp64d.so.1",
  },
};

/** This machine, if it is one that we know. */
export function hostArch(): Arch | undefined {
  const names: Partial<Record<NodeJS.Architecture, Arch>> = {
    x64: "x86_64",
    arm64: "arm64",
    riscv64: "riscv64",
  };
  return names[process.arch];
}
