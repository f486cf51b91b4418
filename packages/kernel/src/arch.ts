import { KernelError } from "./errors.ts";

/** An architecture by the name that `uname -m` has for it, but `arm64` for aarch64 as the kernel says. */
export type Arch = "x86_64" | "arm64" | "riscv64";

/** What the kernel's build needs to know of an architecture. */
export interface ArchFacts {
  /** The value of ARCH=. */
  readonly makeArch: string;
  /** The directory under arch/. */
  readonly directory: string;
  /** The make target of the image that a boot loader starts, and where it is afterwards. */
  readonly imageTarget: string;
  readonly imagePath: string;
  /** Debian's name. */
  readonly debian: string;
}

/**
 * The facts of an architecture.
 *
 * @throws KernelError KERNEL_ARCH for one that is not supported yet.
 */
export function archFacts(arch: Arch): ArchFacts {
  if (arch !== "x86_64") {
    throw new KernelError("KERNEL_ARCH", `Cannot build for "${arch}" yet; only "x86_64" is supported`);
  }
  return {
    makeArch: "x86_64",
    directory: "x86",
    imageTarget: "bzImage",
    imagePath: "arch/x86/boot/bzImage",
    debian: "amd64",
  };
}
