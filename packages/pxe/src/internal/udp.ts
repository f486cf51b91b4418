import { createSocket, type Socket } from "node:dgram";
import { socketError } from "./socket-error.ts";

/** Bind a UDP socket; errors are ours, with what to do about them. */
export function bindUdp(options: {
  address: string;
  port: number;
  reuse?: boolean;
  broadcast?: boolean;
  purpose: string;
}): Promise<Socket> {
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
    socket.bind({ address, port }, () => {
      socket.off("error", fail);
      if (options.broadcast === true) socket.setBroadcast(true);
      resolve(socket);
    });
  });
}

/** Close a socket that may be closed already, after what was given to it has gone out. */
export async function closeUdp(socket: Socket): Promise<void> {
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
