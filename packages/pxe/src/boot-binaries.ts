import { open } from "node:fs/promises";
import { join } from "node:path";
import type { ClientPlatform } from "./client.ts";

/** A boot program on this machine. */
export interface BootBinary {
  readonly platform: ClientPlatform;
  readonly path: string;
  /** The name under which it is offered. */
  readonly name: string;
  readonly size: number;
}

/**
 * File names by platform, the best first: `snponly.efi` and `undionly.kpxe` use the firmware's own driver
 * for the card that it booted from.
 */
const NAMES: readonly (readonly [ClientPlatform, readonly string[]])[] = [
  ["bios", ["undionly.kpxe"]],
  ["efi-x64", ["snponly.efi", "snponly-x86_64.efi", "ipxe-x86_64.efi", "ipxe.efi", "ipxe-amd64.efi"]],
  ["efi-arm64", ["snponly-arm64.efi", "ipxe-snponly-arm64.efi", "ipxe-arm64.efi"]],
  ["efi-riscv64", ["snponly-riscv64.efi", "ipxe-riscv64.efi"]],
];

/** Where distributions put them: Debian and Ubuntu, Fedora, Arch. */
const DIRECTORIES = [
  "/usr/lib/ipxe",
  "/usr/share/ipxe",
  "/usr/share/ipxe/x86_64",
  "/usr/share/ipxe/arm64-efi",
  "/boot",
];

/** COFF machine types (PE/COFF specification 3.3.1). */
const MACHINES: Readonly<Partial<Record<ClientPlatform, number>>> = {
  "efi-x64": 0x8664,
  "efi-arm64": 0xaa64,
  "efi-riscv64": 0x5064,
};

/** True when the file begins as a program for the platform must. */
async function suits(path: string, platform: ClientPlatform): Promise<number | undefined> {
  const handle = await open(path, "r").catch(() => undefined);
  if (!handle) return undefined;
  try {
    const { size } = await handle.stat();
    const head = Buffer.alloc(4096);
    const { bytesRead } = await handle.read(head, 0, head.length, 0);
    const wanted = MACHINES[platform];
    if (wanted === undefined) return bytesRead > 512 ? size : undefined;
    const at = head.readUInt32LE(0x3c);
    if (head.toString("latin1", 0, 2) !== "MZ" || at > head.length - 6) return undefined;
    const portable = head.toString("latin1", at, at + 4) === "PE\0\0";
    return portable && head.readUInt16LE(at + 4) === wanted ? size : undefined;
  } finally {
    await handle.close();
  }
}

/**
 * Look for iPXE's boot programs among the files of this distribution. None is shipped with this package:
 * they are GPL programs that the distribution packages as `ipxe`. Machines whose ROM is iPXE already
 * (QEMU's network cards) need none.
 *
 * @example
 * ```ts
 * import { findBootBinaries } from "@justenough/pxe";
 * for (const binary of await findBootBinaries()) console.log(binary.platform, binary.path);
 * ```
 */
export async function findBootBinaries(
  options: { directories?: readonly string[] | undefined } = {},
): Promise<readonly BootBinary[]> {
  const directories = options.directories ?? DIRECTORIES;
  const found: BootBinary[] = [];
  for (const [platform, names] of NAMES) {
    const candidates = names.flatMap((name) =>
      directories.map((directory) => [name, join(directory, name)] as const),
    );
    for (const [name, path] of candidates) {
      const size = await suits(path, platform);
      if (size === undefined) continue;
      found.push({ platform, path, name, size });
      break;
    }
  }
  return found;
}
