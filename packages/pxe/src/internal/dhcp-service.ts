import { dhcpState, stepDhcp, type DhcpAction, type DhcpConfig } from "../dhcp-engine.ts";
import type { DhcpMessage } from "../dhcp-packet.ts";
import type { PxeEventBody } from "../events.ts";
import type { Lease } from "../leases.ts";
import { proxyState, stepProxy, type ProxyConfig } from "../proxy-engine.ts";
import { closers, type Closable } from "./closers.ts";
import { openDhcpSockets, type DhcpArrival } from "./dhcp-sockets.ts";
import { openLeaseFile } from "./lease-file.ts";
import type { Network } from "./network.ts";

/** A DHCP or proxyDHCP server at work. */
export interface DhcpService extends Closable {
  leases(): readonly Lease[];
}

interface Common {
  /** The port of PXE boot requests; undefined when they are not served. */
  readonly boot: number | undefined;
  /** Stand beside another DHCP server on this machine. */
  readonly share: boolean;
  /** The MAC address of our own card, which is not answered. */
  readonly own: string;
  readonly onEvent: (event: PxeEventBody) => void;
  /** Looks at every message that is DHCP, also at those that are not answered. */
  readonly onArrival: (message: DhcpMessage) => void;
  readonly network: Network;
}

/** Lease addresses: wires the engine to sockets and, where there is one, to the file that keeps the leases. */
export async function startDhcp(
  config: DhcpConfig,
  options: Common & { readonly leaseFile: string | undefined },
): Promise<DhcpService> {
  const { leaseFile: path, onEvent } = options;
  const parts = closers();
  const clocks = (): { monotonic: number; wall: number } => ({
    monotonic: performance.now(),
    wall: Date.now(),
  });
  const file = path === undefined ? undefined : parts.use(await openLeaseFile({ path, clocks, onEvent }));
  try {
    const state = dhcpState(config, file?.leases);
    const answer = ({ message }: DhcpArrival): readonly DhcpAction[] =>
      stepDhcp(config, state, message, performance.now());
    const sockets = { ...options, address: config.subnet.address, port: config.ports.server };
    parts.use(await openDhcpSockets({ ...sockets, answer, keep: file?.append }));
    return { leases: () => [...state.leases.values()], close: parts.close };
  } catch (error) {
    await parts.close();
    throw error;
  }
}

/** Name boot files beside the DHCP server of the network. */
export async function startProxy(config: ProxyConfig, options: Common): Promise<DhcpService> {
  const state = proxyState();
  const answer = (arrival: DhcpArrival): readonly DhcpAction[] =>
    stepProxy(config, state, arrival, performance.now());
  const sockets = await openDhcpSockets({
    ...options,
    address: config.subnet.address,
    port: config.ports.server,
    answer,
  });
  return { leases: () => [], close: sockets.close };
}
