import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import type { Subnet } from "./address.ts";
import { formatIpv4 } from "./address.ts";
import { PxeError } from "./errors.ts";

/** A network interface with one of its IPv4 addresses. */
export interface Interface extends Subnet {
  readonly name: string;
  readonly mac: string;
  /** False when nothing is plugged in, or the other computer is off. */
  readonly link: boolean;
}

/** What `ip -json address` prints, as far as it is read here. */
interface IpLink {
  readonly ifname: string;
  readonly address?: string;
  readonly addr_info?: readonly {
    readonly family: string;
    readonly local: string;
    readonly prefixlen: number;
  }[];
}

/** Interfaces without link: node:os leaves them out, but a server may well start before its first client. */
async function withoutLink(known: ReadonlySet<string>): Promise<readonly Interface[]> {
  try {
    const { stdout } = await promisify(execFile)("ip", ["-json", "-4", "address"]);
    return (JSON.parse(stdout) as IpLink[]).flatMap(({ ifname, address = "", addr_info = [] }) =>
      addr_info
        .filter(({ family, local }) => family === "inet" && !known.has(`${ifname} ${local}`))
        .map(({ local, prefixlen }) => ({
          name: ifname,
          mac: address,
          address: local,
          netmask: formatIpv4(prefixlen === 0 ? 0 : (~0 << (32 - prefixlen)) >>> 0),
          link: false,
        })),
    );
  } catch {
    return []; // no iproute2 here: then those with link are all that is known
  }
}

/** Every IPv4 address of this machine; an interface with two appears twice. */
export async function listInterfaces(): Promise<readonly Interface[]> {
  const up = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter((entry) => entry.family === "IPv4")
      .map(({ address, netmask, mac }) => ({ name, address, netmask, mac, link: true })),
  );
  return [...up, ...(await withoutLink(new Set(up.map(({ name, address }) => `${name} ${address}`))))];
}

/**
 * The interface to serve. It must be named: a DHCP server on the wrong network disturbs every machine there.
 * Errors `PXE_INTERFACE_UNKNOWN` list what there is.
 */
export async function findInterface(name: string, address?: string): Promise<Interface> {
  const all = await listInterfaces();
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
