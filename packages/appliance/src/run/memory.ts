import type { Bundle } from "../bundle/bundle.ts";
import { ApplianceError } from "../error.ts";
import type { ResolvedSpec } from "../spec/resolved.ts";

// What a kernel needs for itself beside its image and the initramfs, in MiB; a distribution's needs more.
const kernelNeeds = { distro: 96, built: 24 };

/**
 * Refuses a machine that cannot hold its own initramfs: packed and unpacked are in memory together for a
 * moment, and a kernel that runs out there says little that is to the point.
 */
export function checkMemory(spec: ResolvedSpec, bundle: Bundle): void {
  const { initramfs, kernel } = bundle.manifest;
  const mebibytes = (bytes: number): number => Math.ceil(bytes / 2 ** 20);
  const own = spec.kernel.source.kind === "distro" ? kernelNeeds.distro : kernelNeeds.built;
  const needed = mebibytes(initramfs.size) + mebibytes(initramfs.unpackedSize) + mebibytes(kernel.size) + own;
  if (spec.memory >= needed) return;
  throw new ApplianceError(
    "APPLIANCE_BOOT_FAILED",
    `${spec.memory} MiB of memory cannot hold this appliance: its files alone are ${mebibytes(initramfs.unpackedSize)} MiB, and about ${needed} MiB are needed to boot`,
    { hint: `memory: ${Math.ceil(needed / 64) * 64}M in the spec, or --memory` },
  );
}
