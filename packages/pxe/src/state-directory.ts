import { homedir } from "node:os";
import { join } from "node:path";

/** Where the commands keep what must outlive them unless told (XDG base directories). */
export function stateDirectory(): string {
  const state = process.env["XDG_STATE_HOME"] ?? "";
  return join(state === "" ? join(homedir(), ".local", "state") : state, "justenough", "pxe");
}

/**
 * Where the commands keep the leases of an interface unless told.
 *
 * @example
 * ```ts
 * import { defaultLeaseFile } from "@justenough/pxe";
 * console.log(defaultLeaseFile("eth1")); // /home/me/.local/state/justenough/pxe/eth1.leases
 * ```
 */
export function defaultLeaseFile(name: string): string {
  return join(stateDirectory(), `${name}.leases`);
}
