import type { RemoteInfo, Socket } from "node:dgram";
import type { DhcpAction } from "../dhcp-engine.ts";
import { encodeDhcp, parseDhcp, type DhcpMessage } from "../dhcp-packet.ts";
import type { PxeEventBody } from "../events.ts";
import { bindUdp, closeUdp } from "./udp.ts";

/** A datagram that is DHCP, with the port that took it. */
export interface DhcpArrival {
  readonly message: DhcpMessage;
  readonly port: "dhcp" | "boot";
  readonly from: { readonly address: string; readonly port: number };
}

/** The sockets of a DHCP or proxyDHCP server on one interface. */
export interface DhcpSockets {
  close(): Promise<void>;
}

/**
 * Listen on one interface. Node cannot bind to a device, and a socket on a unicast address hears no
 * broadcasts. So one socket on 255.255.255.255 hears clients without address (those of every interface), and
 * one on the interface's own address hears the others and sends: only a bound source address makes the
 * kernel send 255.255.255.255 out of that interface.
 */
export async function openDhcpSockets(options: {
  address: string;
  ports: { dhcp: number; boot: number | undefined };
  /** Stand beside another DHCP server on this machine. */
  share: boolean;
  onMessage: (arrival: DhcpArrival) => readonly DhcpAction[];
  onEvent: (event: PxeEventBody) => void;
  /** Looks at every message that is DHCP, also at those that are not answered. */
  onArrival?: ((message: DhcpMessage) => void) | undefined;
}): Promise<DhcpSockets> {
  const { address, ports, share, onMessage, onEvent } = options;
  const sockets: Socket[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(sockets.map((socket) => closeUdp(socket)));
  };
  try {
    const main = await bindUdp({
      address,
      port: ports.dhcp,
      reuse: share,
      broadcast: true,
      purpose: share ? "proxyDHCP" : "DHCP",
    });
    sockets.push(main);
    const port = main.address().port;
    sockets.push(
      await bindUdp({ address: "255.255.255.255", port, reuse: true, purpose: "DHCP broadcasts" }),
    );
    if (ports.boot !== undefined) {
      sockets.push(
        await bindUdp({ address, port: ports.boot, broadcast: true, purpose: "PXE boot requests" }),
      );
    }
    const [unicast, , boot] = sockets;

    const perform = (action: DhcpAction, socket: Socket): void => {
      if (action.kind === "report") return onEvent(action.event);
      const { address: to, port } = action.to;
      const failed = (error: unknown): void => {
        const message = `Cannot answer ${to}:${port}: ${error instanceof Error ? error.message : String(error)}`;
        onEvent({ kind: "warning", code: "dhcp-reply-failed", message });
      };
      try {
        const bytes = encodeDhcp(action.message, { maxBytes: action.maxBytes });
        socket.send(bytes, port, to, (error) => {
          if (error) failed(error);
        });
      } catch (error) {
        failed(error);
      }
    };
    const listen = (socket: Socket, port: "dhcp" | "boot", reply: Socket): void => {
      socket.on("message", (bytes: Buffer, from: RemoteInfo) => {
        const parsed = parseDhcp(bytes);
        if (!parsed.ok) return;
        options.onArrival?.(parsed.value);
        const arrival = { message: parsed.value, port, from: { address: from.address, port: from.port } };
        for (const action of onMessage(arrival)) perform(action, reply);
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
