import type { RemoteInfo } from "node:dgram";
import type { SendAction } from "../boot-reply.ts";
import type { DhcpAction } from "../dhcp-engine.ts";
import { formatMac } from "../address.ts";
import { encodeDhcp, parseDhcp, type DhcpMessage } from "../dhcp-packet.ts";
import type { PxeEventBody } from "../events.ts";
import type { Lease } from "../leases.ts";
import type { Closable } from "./closers.ts";
import type { Network } from "./network.ts";
import { complain, type Complaints } from "./once.ts";
import { closeUdp, type UdpSocket } from "./udp.ts";

/** A datagram that is DHCP, with the port that took it. */
export interface DhcpArrival {
  readonly message: DhcpMessage;
  readonly port: "dhcp" | "boot";
  readonly from: { readonly address: string; readonly port: number };
}

/**
 * Listen on one interface. Node cannot bind to a device, and a socket on a unicast address hears no
 * broadcasts. So one socket on 255.255.255.255 hears clients without address (those of every interface), and
 * one on the interface's own address hears the others and sends: only a bound source address makes the
 * kernel send 255.255.255.255 out of that interface.
 */
export async function openDhcpSockets(options: {
  address: string;
  port: number;
  /** The port of PXE boot requests; undefined when they are not served. */
  boot: number | undefined;
  /** Stand beside another DHCP server on this machine. */
  share: boolean;
  /** Our own card. Its questions were to others, and wait in a socket that was bound before they were asked. */
  own: string;
  answer: (arrival: DhcpArrival) => readonly DhcpAction[];
  /** Write a lease to stable storage; without it leases are recorded nowhere. */
  keep?: ((lease: Lease, done: () => void) => void) | undefined;
  onEvent: (event: PxeEventBody) => void;
  /** Looks at every message that is DHCP, also at those that are not answered. */
  onArrival?: ((message: DhcpMessage) => void) | undefined;
  network: Network;
}): Promise<Closable> {
  const { address, share, answer, keep, onEvent } = options;
  const { bindUdp } = options.network;
  let closed = false;
  const complaints: Complaints = new Map();
  const sockets: UdpSocket[] = [];
  const close = async (): Promise<void> => {
    closed = true;
    await Promise.all(sockets.map((socket) => closeUdp(socket)));
  };
  try {
    const main = await bindUdp({
      address,
      port: options.port,
      reuse: share,
      broadcast: true,
      purpose: share ? "proxyDHCP" : "DHCP",
    });
    sockets.push(main);
    const port = main.address().port;
    sockets.push(
      await bindUdp({ address: "255.255.255.255", port, reuse: true, purpose: "DHCP broadcasts" }),
    );
    if (options.boot !== undefined) {
      sockets.push(
        await bindUdp({ address, port: options.boot, broadcast: true, purpose: "PXE boot requests" }),
      );
    }
    const [unicast, , boot] = sockets;

    const send = ({ message, to, maxBytes }: SendAction, socket: UdpSocket): void => {
      const failed = (error: unknown): void => {
        const reason = error instanceof Error ? error.message : String(error);
        const text = `Cannot answer ${to.address}:${to.port}: ${reason}`;
        // Whoever asks for what cannot be sent, or an interface that is down, fills no log.
        if (!closed && complain(complaints, reason, performance.now()))
          onEvent({ kind: "warning", code: "dhcp-reply-failed", message: text });
      };
      try {
        socket.send(encodeDhcp(message, { maxBytes }), to.port, to.address, (error) => {
          if (error) failed(error);
        });
      } catch (error) {
        failed(error);
      }
    };
    const perform = (actions: readonly DhcpAction[], socket: UdpSocket): void => {
      for (const [index, action] of actions.entries()) {
        if (action.kind === "send") send(action, socket);
        else if (action.kind === "report") onEvent(action.event);
        else if (keep) {
          // A client may rely on what it is told: that must be on disk first.
          keep(action.lease, () => perform(actions.slice(index + 1), socket));
          return;
        }
      }
    };
    const listen = (socket: UdpSocket, port: "dhcp" | "boot", reply: UdpSocket): void => {
      socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
        const parsed = parseDhcp(bytes);
        if (!parsed.ok || formatMac(parsed.value.chaddr) === options.own) return;
        options.onArrival?.(parsed.value);
        const arrival = { message: parsed.value, port, from: { address: from.address, port: from.port } };
        perform(answer(arrival), reply);
      });
      socket.on("error", (error) =>
        onEvent({ kind: "warning", code: "socket", message: `DHCP: ${error.message}` }),
      );
    };
    for (const socket of sockets) {
      if (socket === boot) listen(socket, "boot", socket);
      else listen(socket, "dhcp", unicast ?? socket);
    }
    return { close };
  } catch (error) {
    await close();
    throw error;
  }
}
