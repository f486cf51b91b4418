import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Closable } from "./closers.ts";
import { takeInherited } from "./inherited-sockets.ts";
import { socketError } from "./socket-error.ts";
import { bindUdp, type UdpBinding, type UdpSocket } from "./udp.ts";

/** What the servers need of a network: the host's sockets, or a station on a cable. */
export interface Network {
  bindUdp(binding: UdpBinding): Promise<UdpSocket>;
  /** Let a server take the connections to a port; 0 picks a free one. Closing it leaves connections alone. */
  listenHttp(server: Server, at: { address: string; port: number }): Promise<Closable & { port: number }>;
}

/** The sockets of this machine. */
export const HOST_NETWORK: Network = {
  bindUdp,
  async listenHttp(server, { address, port }) {
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) =>
        reject(socketError(error, { address, port, purpose: "HTTP", protocol: "TCP" })),
      );
      const fd = takeInherited({ protocol: "tcp", address, port });
      server.listen(fd === undefined ? { host: address, port, backlog: 1024 } : { fd }, resolve);
    });
    const close = (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    return { port: (server.address() as AddressInfo).port, close };
  },
};
