import type { ResolvedNetwork, ResolvedProgram, ResolvedSpec } from "./resolved.ts";

/** The parts of a spec from which kernel features follow. */
export interface Implying {
  readonly programs: readonly ResolvedProgram[];
  readonly network: ResolvedNetwork;
  readonly modules: readonly string[];
  readonly cpus: number;
  readonly arch: ResolvedSpec["arch"];
}

/**
 * The kernel features that follow from a spec, each with the key that asks for it. What a feature means
 * in symbols is the kernel package's knowledge; here stands only which need leads to which.
 */
export function impliedFeatures(spec: Implying): { readonly feature: string; readonly by: string }[] {
  const implied = [
    { feature: "base", by: "every appliance" },
    { feature: "quiet", by: "every appliance" },
    { feature: "serial", by: "the console and the control channel" },
    spec.arch === "x86_64"
      ? { feature: screenFeature(spec.arch), by: "every appliance" }
      : { feature: "serial-cards", by: "the control channel" },
    { feature: "poweroff", by: "every appliance" },
  ];
  // Programs of a distribution expect Unix sockets (syslog, name lookup) and pseudo terminals.
  if (spec.programs.some(({ kind }) => kind === "copy")) {
    implied.push({ feature: "net", by: "programs" }, { feature: "ptys", by: "programs" });
  }
  if (spec.network.kind !== "none") implied.push({ feature: "virtio-net", by: "network" });
  if (spec.modules.length > 0) implied.push({ feature: "modules", by: "kernel.modules" });
  if (spec.cpus > 1) implied.push({ feature: "smp", by: "cpus" });
  return implied;
}

/** A console on the screen: next to nothing on a PC, a graphics driver on the others, which is why they have it only when asked. */
export function screenFeature(arch: ResolvedSpec["arch"]): string {
  return arch === "x86_64" ? "screen" : "virtio-gpu";
}

// In a distribution's kernel the drivers that a feature would build in are modules; what is not named is built in.
const featureModules: Readonly<Record<string, readonly string[]>> = {
  "virtio-net": ["virtio_pci", "virtio_net", "af_packet"],
  "virtio-blk": ["virtio_pci", "virtio_blk"],
  "virtio-rng": ["virtio_pci", "virtio_rng"],
  "virtio-pci": ["virtio_pci"],
  "virtio-gpu": ["virtio_pci", "virtio_gpu"],
  virtio: ["virtio_pci", "virtio_net", "af_packet", "virtio_blk", "virtio_rng"],
  "fs-ext4": ["ext4"],
  e1000: ["e1000", "e1000e"],
};

/** The modules that stand for features in a kernel that was built by somebody else, with the feature that asks. */
export function impliedModules(
  features: Iterable<string>,
): { readonly module: string; readonly by: string }[] {
  const implied = new Map<string, string>();
  for (const feature of features) {
    for (const module of featureModules[feature] ?? []) {
      if (!implied.has(module)) implied.set(module, feature);
    }
  }
  return Array.from(implied, ([module, by]) => ({ module, by }));
}
