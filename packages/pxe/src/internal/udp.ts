import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { takeInherited } from "./inherited-sockets.ts";
import { socketError } from "./socket-error.ts";

/** As much of a `dgram.Socket` as the servers use; a station on a cable has such sockets too. */
export interface UdpSocket {
  send(
    bytes: Uint8Array | readonly Uint8Array[],
    port: number,
    address: string,
    done?: (error: Error | null) => void,
  ): void;
  /** Datagrams that are not sent yet. */
  getSendQueueCount(): number;
  on(event: "message", listener: (bytes: Buffer, from: RemoteInfo) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  address(): { readonly address: string; readonly port: number };
  close(done: () => void): unknown;
}

/** Where a UDP socket listens and sends from. */
export interface UdpBinding {
  readonly address: string;
  readonly port: number;
  readonly reuse?: boolean;
  readonly broadcast?: boolean;
  /** For the error's message. */
  readonly purpose: string;
}

/** Bind a UDP socket of this machine, or take one that was handed over bound; errors are ours, with what to do about them. */
export function bindUdp(options: UdpBinding): Promise<Socket> {
  const { address, port, purpose } = options;
  return new Promise((resolve, reject) => {
    // Herds of clients arrive at once; the kernel's default of 208 KiB would drop some.
    const socket = createSocket({
      type: "udp4",
      reuseAddr: options.reuse ?? false,
      recvBufferSize: 1 << 20,
      // Addresses are numbers here. Node would ask its resolver for each datagram, and send in a later tick.
      lookup: (address, _options, callback) => callback(null, address, 4),
    });
    const fail = (error: Error): void => {
      socket.close();
      reject(socketError(error, { address, port, purpose, protocol: "UDP" }));
    };
    socket.once("error", fail);
    const fd = takeInherited({ protocol: "udp", address, port });
    socket.bind(fd === undefined ? { address, port } : { fd }, () => {
      socket.off("error", fail);
      if (options.broadcast === true) socket.setBroadcast(true);
      resolve(socket);
    });
  });
}

/** Close a socket that may be closed already, after what was given to it has gone out. */
export async function closeUdp(socket: UdpSocket): Promise<void> {
  // What the kernel could not take at once is sent in a later tick.
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}
