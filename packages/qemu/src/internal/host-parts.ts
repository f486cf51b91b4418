import type { HostParts } from "../argv.ts";
import type { Machine } from "../machine.ts";
import { findUefi } from "../uefi.ts";
import { findVirtiofsd } from "./virtiofsd.ts";

/** The firmware and the daemon that the machine needs from this host. */
export async function findHostParts(machine: Machine): Promise<Pick<HostParts, "uefi" | "virtiofsd">> {
  const [uefi, virtiofsd] = await Promise.all([
    machine.firmware === "uefi" ? findUefi(machine.arch) : undefined,
    findVirtiofsd(machine),
  ]);
  return { uefi, virtiofsd };
}
