import { readKernelImage, type PeMachine } from "@justenough/uki";
import { findBootBinaries } from "../boot-binaries.ts";
import type { OfferedBinaries } from "../boot-policy.ts";
import type { PxeBundle } from "../bundle-files.ts";
import type { ClientPlatform } from "../client.ts";
import { PxeError } from "../errors.ts";
import { findLoaderSet, firstFile, neededSet } from "./loader-files.ts";
import type { Loader, LoaderOptions } from "./loader-options.ts";
import { openUki, readStubs, stubFor, type Stubs } from "./uki-file.ts";

/** The name of the image that is made for whoever asks. */
export const UKI_FILE = "uki.efi";

const MACHINES: readonly (readonly [ClientPlatform, PeMachine])[] = [
  ["efi-x64", "x64"],
  ["efi-ia32", "ia32"],
  ["efi-arm64", "arm64"],
  ["efi-arm32", "arm32"],
  ["efi-riscv64", "riscv64"],
  ["efi-loong64", "loongarch64"],
];
const HOST: ClientPlatform = process.arch === "arm64" ? "efi-arm64" : "efi-x64";

/** What is offered, and to whom. */
export interface OfferedLoaders {
  /** iPXE by platform. */
  readonly names: OfferedBinaries;
  readonly loaders: Readonly<Partial<Record<ClientPlatform, Loader>>>;
  /** Paths of all programs by their names; also of those that only the user's own DHCP server names. */
  readonly paths: ReadonlyMap<string, string>;
  readonly stubs: Stubs;
}

/** What decides about boot programs. */
export interface LoaderWishes {
  readonly loaders: LoaderOptions | undefined;
  /** iPXE, or whatever stands for it, by path. */
  readonly binaries: Readonly<Partial<Record<ClientPlatform, string>>> | undefined;
  readonly bundle: PxeBundle | undefined;
}

/**
 * Find the boot programs to offer. One that was asked for and is missing is an error `PXE_BINARY_MISSING`, which
 * names its package; without a stub for the default, UEFI machines get iPXE.
 */
export async function chooseLoaders(wishes: LoaderWishes): Promise<OfferedLoaders> {
  const { loaders: { bios = "ipxe", efi, stubs: given = [] } = {}, binaries = {}, bundle } = wishes;
  const { names, paths } = await offeredIpxe(binaries);
  const loaders: Partial<Record<ClientPlatform, Loader>> = {};
  for (const set of ["pxelinux", "lpxelinux"] as const) {
    const found = await findLoaderSet(set);
    if (bios === set) {
      neededSet(set, found);
      loaders.bios = { kind: set, file: firstFile(set), always: true };
    }
    if (!("missing" in found)) for (const [name, path] of found) paths.set(name, path);
  }
  for (const set of ["efi-x64", "efi-arm64"] as const) {
    const found = await findLoaderSet(set);
    // For machines of this one's kind it must be there; for others it is offered if it is.
    if (efi === "grub" && set === HOST) neededSet(set, found);
    if ("missing" in found) continue;
    for (const [name, path] of found) paths.set(name, path);
    if (efi === "grub") loaders[set] = { kind: "grub", file: firstFile(set), always: true };
  }
  const stubs = await readStubs(given);
  if (efi === undefined || efi === "uki") {
    for (const platform of await imagePlatforms({ stubs, bundle, chosen: efi === "uki" })) {
      // A program that the caller names is one that he wants.
      if (efi === undefined && binaries[platform] !== undefined) continue;
      loaders[platform] = { kind: "uki", file: UKI_FILE, always: efi === "uki" };
    }
  }
  return { names, loaders, paths, stubs };
}

/** iPXE's programs: the caller's, else the distribution's. */
async function offeredIpxe(
  binaries: NonNullable<LoaderWishes["binaries"]>,
): Promise<{ names: OfferedBinaries; paths: Map<string, string> }> {
  const names: { -readonly [K in keyof OfferedBinaries]: OfferedBinaries[K] } = {};
  const paths = new Map<string, string>();
  for (const binary of await findBootBinaries()) {
    names[binary.platform] = binary.name;
    paths.set(binary.name, binary.path);
  }
  for (const [platform, path] of Object.entries(binaries)) {
    // A name of our own: two platforms may have files of the same name.
    const name = platform === "bios" ? "bios.kpxe" : `${platform}.efi`;
    names[platform as ClientPlatform] = name;
    paths.set(name, path);
  }
  return { names, paths };
}

/** The platforms for which images can be made: that of the one bundle, or all for which there is a stub. */
async function imagePlatforms(options: {
  readonly stubs: Stubs;
  readonly bundle: PxeBundle | undefined;
  readonly chosen: boolean;
}): Promise<readonly ClientPlatform[]> {
  const { stubs, bundle, chosen } = options;
  if (bundle) {
    try {
      // Opened for once: what keeps the kernel from being started by UEFI is better known now.
      await (await openUki({ bundle, cmdline: bundle.cmdline, segments: [] }, stubs)).close();
    } catch (error) {
      if (chosen || !(error instanceof PxeError)) throw error;
      return [];
    }
    const { machine } = (await readKernelImage(bundle.kernel)).pe;
    return MACHINES.filter(([, name]) => name === machine).map(([platform]) => platform);
  }
  const found: ClientPlatform[] = [];
  let missing: unknown;
  for (const [platform, machine] of MACHINES) {
    try {
      await stubFor(stubs, machine);
      found.push(platform);
    } catch (error) {
      if (platform === HOST) missing = error;
    }
  }
  if (chosen && found.length === 0) throw missing;
  return found;
}
