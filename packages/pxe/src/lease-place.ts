import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where the command keeps the leases of an interface unless told: in the user's state directory (XDG).
 *
 * @example
 * ```ts
 * import { defaultLeaseFile } from "@justenough/pxe";
 * console.log(defaultLeaseFile("eth1")); // /home/me/.local/state/justenough/pxe/eth1.leases
 * ```
 */
export function defaultLeaseFile(name: string): string {
  const state = process.env["XDG_STATE_HOME"] ?? "";
  return join(
    state === "" ? join(homedir(), ".local", "state") : state,
    "justenough",
    "pxe",
    `${name}.leases`,
  );
}
