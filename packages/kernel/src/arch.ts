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
  /** Debian's kernel for virtual machines; where it has none, that for all machines. */
  readonly debianKernel: string;
  /** What the names of GNU tools for it begin with on other machines: `aarch64-linux-gnu-gcc`. */
  readonly triple: string;
  /** Machines are described by device trees that the build makes. */
  readonly devicetrees: boolean;
}

const FACTS: Readonly<Record<Arch, ArchFacts>> = {
  x86_64: {
    makeArch: "x86_64",
    directory: "x86",
    imageTarget: "bzImage",
    imagePath: "arch/x86/boot/bzImage",
    debian: "amd64",
    debianKernel: "linux-image-cloud-amd64",
    triple: "x86_64-linux-gnu",
    devicetrees: false,
  },
  // Not Image.gz: QEMU starts both on arm64, but only the plain one on riscv64.
  arm64: {
    makeArch: "arm64",
    directory: "arm64",
    imageTarget: "Image",
    imagePath: "arch/arm64/boot/Image",
    debian: "arm64",
    debianKernel: "linux-image-cloud-arm64",
    triple: "aarch64-linux-gnu",
    devicetrees: true,
  },
  riscv64: {
    makeArch: "riscv",
    directory: "riscv",
    imageTarget: "Image",
    imagePath: "arch/riscv/boot/Image",
    debian: "riscv64",
    debianKernel: "linux-image-riscv64",
    triple: "riscv64-linux-gnu",
    devicetrees: true,
  },
};

/** All architectures that kernels are built for. */
export const ARCHES = Object.keys(FACTS) as readonly Arch[];

/**
 * The facts of an architecture.
 *
 * @throws KernelError KERNEL_ARCH for a name that comes from outside and is none of them.
 */
export function archFacts(arch: Arch): ArchFacts {
  const facts = Object.hasOwn(FACTS, arch) ? FACTS[arch] : undefined;
  if (facts !== undefined) return facts;
  throw new KernelError("KERNEL_ARCH", `Cannot build for "${arch}": it is no architecture that is known`, {
    hint: `It is one of ${ARCHES.join(", ")}`,
  });
}

/** The architecture of this machine, if it is one of them. */
export function hostArch(): Arch | undefined {
  const names: Readonly<Record<string, Arch>> = { x64: "x86_64", arm64: "arm64", riscv64: "riscv64" };
  return names[process.arch];
}
