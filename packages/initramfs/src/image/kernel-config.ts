import type { Arch } from "../arch.ts";
import type { KernelCompression } from "../decompress/kernel-decompress.ts";
import { InitramfsError } from "../error.ts";

/** What a kernel's .config says of how it takes an image. */
export interface KernelConfig {
  /** From the comment at its head. */
  readonly kernel: string | undefined;
  readonly arch: Arch | undefined;
  readonly configured: readonly KernelCompression[];
  /** Whether an option is y, by its name without CONFIG_. */
  has(option: string): boolean;
}

/** The option of usr/Kconfig for each compression. */
export const RD_OPTIONS: Readonly<Record<KernelCompression, string>> = {
  gzip: "RD_GZIP",
  bzip2: "RD_BZIP2",
  lzma: "RD_LZMA",
  xz: "RD_XZ",
  lzo: "RD_LZO",
  lz4: "RD_LZ4",
  zstd: "RD_ZSTD",
};

/** @throws {InitramfsError} for a text that is no configuration */
export function parseKernelConfig(text: string): KernelConfig {
  const options = new Set<string>();
  for (const [, name] of text.matchAll(/^CONFIG_(\w+)=y$/gm)) options.add(name as string);
  if (options.size === 0) {
    throw new InitramfsError("INITRAMFS_FORMAT", "The kernel's configuration sets no option to y", {
      hint: "Give its .config, such as /boot/config-$(uname -r)",
    });
  }
  const has = (option: string): boolean => options.has(option);
  const formats = Object.keys(RD_OPTIONS) as KernelCompression[];
  return {
    kernel: /^# Linux\/\S+ (\d+\.\S+) Kernel Configuration$/m.exec(text)?.[1],
    arch: has("X86_64")
      ? "x86_64"
      : has("ARM64")
        ? "arm64"
        : has("RISCV") && has("64BIT")
          ? "riscv64"
          : undefined,
    configured: formats.filter((format) => has(RD_OPTIONS[format])),
    has,
  };
}
