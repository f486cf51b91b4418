import { broadcastOf, type Subnet } from "./address.ts";
import { addressBytes, DHCP_OPTION, u32Bytes } from "./dhcp-options.ts";
import type { DhcpMessage } from "./dhcp-packet.ts";

/** What a network's clients are told besides their address. */
export interface NetworkParameters {
  readonly subnet: Subnet;
  readonly leaseSeconds: number;
  readonly router: string | undefined;
  readonly dns: readonly string[];
}

/**
 * The parameters of a reply; those asked for in option 55 come in that order (RFC 2132 9.8). The answer to an
 * INFORM has no times, since nothing is leased (RFC 2131 4.3.5).
 */
export function networkParameters(
  network: NetworkParameters,
  request: DhcpMessage,
  leased: boolean,
): [number, Uint8Array][] {
  const { subnet, leaseSeconds, router, dns } = network;
  const all = new Map<number, Uint8Array>();
  if (leased) {
    all.set(DHCP_OPTION.leaseTime, u32Bytes(leaseSeconds));
    all.set(DHCP_OPTION.renewalTime, u32Bytes(Math.floor(leaseSeconds / 2)));
    all.set(DHCP_OPTION.rebindingTime, u32Bytes(Math.floor((leaseSeconds * 7) / 8)));
  }
  all.set(DHCP_OPTION.subnetMask, addressBytes(subnet.netmask));
  all.set(DHCP_OPTION.broadcast, addressBytes(broadcastOf(subnet)));
  if (router !== undefined) all.set(DHCP_OPTION.router, addressBytes(router));
  if (dns.length > 0) all.set(DHCP_OPTION.dns, addressBytes(...dns));
  const asked = request.options.get(DHCP_OPTION.parameterList) ?? new Uint8Array();
  const out: [number, Uint8Array][] = [];
  const take = (code: number): void => {
    // The netmask must come before the router, whatever the client's order (RFC 2132 3.3).
    if (code === DHCP_OPTION.router) take(DHCP_OPTION.subnetMask);
    const value = all.get(code);
    if (value) out.push([code, value]);
    all.delete(code);
  };
  take(DHCP_OPTION.leaseTime);
  for (const code of asked) take(code);
  for (const code of [...all.keys()]) take(code);
  return out;
}
