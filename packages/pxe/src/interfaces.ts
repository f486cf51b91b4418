import { networkInterfaces } from "node:os";
import type { Subnet } from "./address.ts";
import { PxeError } from "./errors.ts";

/** A network interface with one of its IPv4 addresses. */
export interface Interface extends Subnet {
  readonly name: string;
  readonly mac: string;
  readonly internal: boolean;
}

/** Every IPv4 address of this machine; an interface with two appears twice. */
export function listInterfaces(): readonly Interface[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter((entry) => entry.family === "IPv4")
      .map(({ address, netmask, mac, internal }) => ({ name, address, netmask, mac, internal })),
  );
}

/**
 * The interface to serve. It must be named: a DHCP server on the wrong network disturbs every machine there.
 * Errors `PXE_INTERFACE_UNKNOWN` list what there is.
 */
export function findInterface(name: string, address?: string): Interface {
  const all = listInterfaces();
  const own = all.filter((entry) => entry.name === name);
  const match = address === undefined ? own[0] : own.find((entry) => entry.address === address);
  if (match) return match;
  const list = all.map((entry) => `${entry.name} (${entry.address})`).join(", ") || "none";
  const what =
    own.length > 0
      ? `The interface ${JSON.stringify(name)} does not have the address ${address ?? ""}`
      : `There is no interface ${JSON.stringify(name)} with an IPv4 address`;
  throw new PxeError("PXE_INTERFACE_UNKNOWN", what, {
    hint: `these have one: ${list}; give one an address with: ip address add 10.77.0.1/24 dev IF && ip link set IF up`,
  });
}
