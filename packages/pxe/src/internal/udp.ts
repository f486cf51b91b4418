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
      // Only numbers are sent to: nothing is looked up, and what is sent is sent at once.
      lookup: (host, _options, found) => found(null, host, 4),
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
  // `send` looks its address up first, even a numeric one, and so sends in a later tick.
  await new Promise<void>((resolve) => setImmediate(resolve));
  await new Promise<void>((resolve) => {
    try {
      socket.close(() => resolve());
    } catch {
      resolve();
    }
  });
}
