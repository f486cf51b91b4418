import { access } from "node:fs/promises";
import { PxeError } from "../errors.ts";

/** Where distributions put PXELINUX: Debian and Ubuntu, Fedora, Arch. */
const SYSLINUX = [
  "/usr/lib/PXELINUX",
  "/usr/lib/syslinux/modules/bios",
  "/usr/share/syslinux",
  "/usr/lib/syslinux/bios",
];
const inSyslinux = (file: string): readonly string[] => SYSLINUX.map((directory) => `${directory}/${file}`);

/** Programs that ask for each other: names, and the paths where they may be. */
const SETS = {
  pxelinux: {
    files: { "pxelinux.0": inSyslinux("pxelinux.0"), "ldlinux.c32": inSyslinux("ldlinux.c32") },
    packages: "pxelinux syslinux-common",
  },
  lpxelinux: {
    files: { "lpxelinux.0": inSyslinux("lpxelinux.0"), "ldlinux.c32": inSyslinux("ldlinux.c32") },
    packages: "pxelinux syslinux-common",
  },
  "efi-x64": {
    files: {
      "shimx64.efi": ["/usr/lib/shim/shimx64.efi.signed"],
      "grubx64.efi": ["/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"],
    },
    packages: "shim-signed grub-efi-amd64-signed",
  },
  "efi-arm64": {
    files: {
      "shimaa64.efi": ["/usr/lib/shim/shimaa64.efi.signed"],
      "grubaa64.efi": ["/usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed"],
    },
    packages: "shim-signed grub-efi-arm64-signed",
  },
} as const;

export type LoaderSet = keyof typeof SETS;

/** A set as it was found: all its files by name, or the name of one that is not there. */
export type FoundSet = ReadonlyMap<string, string> | { readonly missing: string };

/** The file that firmware is sent to. */
export function firstFile(set: LoaderSet): string {
  return Object.keys(SETS[set].files)[0] ?? "";
}

/** Look for a set among the files of this distribution. */
export async function findLoaderSet(set: LoaderSet): Promise<FoundSet> {
  const found = new Map<string, string>();
  for (const [file, candidates] of Object.entries<readonly string[]>(SETS[set].files)) {
    for (const path of candidates) {
      const there = await access(path).then(
        () => true,
        () => false,
      );
      if (there && !found.has(file)) found.set(file, path);
    }
    if (!found.has(file)) return { missing: file };
  }
  return found;
}

/** The files of a set that must be there; else an error `PXE_BINARY_MISSING` that names the packages. */
export function neededSet(set: LoaderSet, found: FoundSet): ReadonlyMap<string, string> {
  if (!("missing" in found)) return found;
  throw new PxeError("PXE_BINARY_MISSING", `The boot program "${found.missing}" is not on this machine`, {
    hint: `install it: apt-get install ${SETS[set].packages} (Debian, Ubuntu)`,
  });
}
