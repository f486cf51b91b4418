import { randomInt } from "node:crypto";
import { EventEmitter } from "node:events";
import type { UdpBinding, UdpSocket } from "../internal/udp.ts";
import { socketError } from "../internal/socket-error.ts";
import { parseIpv4 } from "../address.ts";
import type { Ipv4Packet } from "./ipv4.ts";
import { encodeUdp, parseUdp } from "./udp-datagram.ts";

/** The UDP sockets of a station. */
export interface UdpHost {
  receive(packet: Ipv4Packet): void;
  bind(binding: UdpBinding): UdpSocket;
  close(): void;
}

const FIRST_FREE = 49_152;
const MOST_SOCKETS = 8192;

/** Dotted decimal as the four bytes of a packet; throws for anything else. */
export function ipv4Bytes(text: string): Uint8Array {
  const value = parseIpv4(text);
  return Uint8Array.of(value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

/** Make the host; `send` takes packets, and says why one cannot be sent. */
export function udpHost(own: Uint8Array, send: (packet: Ipv4Packet) => string | undefined): UdpHost {
  /** By address and port, as on a real machine: 255.255.255.255 hears broadcasts, our own what is for us. */
  const sockets = new Map<string, EventEmitter>();
  const ownText = own.join(".");

  const failure = (code: string, { address, port, purpose }: UdpBinding): Error =>
    socketError(Object.assign(new Error(code), { code }), { address, port, purpose, protocol: "UDP" });

  const freePort = (address: string): number | undefined => {
    for (let tries = 0; tries < 1000; tries++) {
      const port = randomInt(FIRST_FREE, 65_536);
      if (!sockets.has(`${address}:${port}`)) return port;
    }
    return undefined;
  };

  return {
    receive(packet) {
      const datagram = parseUdp(packet);
      if (!datagram) return;
      const to = packet.to.join(".");
      // The network's own broadcast address is for those who hear broadcasts.
      const at = to === ownText ? to : "255.255.255.255";
      sockets.get(`${at}:${datagram.destinationPort}`)?.emit("message", Buffer.from(datagram.data), {
        address: packet.from.join("."),
        family: "IPv4",
        port: datagram.sourcePort,
        size: datagram.data.length,
      });
    },
    bind(binding) {
      const { address } = binding;
      if (address !== ownText && address !== "255.255.255.255") throw failure("EADDRNOTAVAIL", binding);
      const port = binding.port === 0 ? freePort(address) : binding.port;
      const key = `${address}:${port}`;
      if (port === undefined || sockets.size >= MOST_SOCKETS || sockets.has(key))
        throw failure("EADDRINUSE", binding);
      const socket = new EventEmitter();
      sockets.set(key, socket);
      return Object.assign(socket, {
        send(
          bytes: Uint8Array | readonly Uint8Array[],
          toPort: number,
          to: string,
          done?: (error: Error | null) => void,
        ) {
          const data = bytes instanceof Uint8Array ? bytes : Buffer.concat(bytes);
          const code = send(
            encodeUdp(own, ipv4Bytes(to), { sourcePort: port, destinationPort: toPort, data }),
          );
          const error = code === undefined ? null : Object.assign(new Error(`send ${code}`), { code });
          if (done) queueMicrotask(() => done(error));
        },
        getSendQueueCount: () => 0,
        address: () => ({ address, port }),
        close(done: () => void) {
          if (sockets.get(key) === socket) sockets.delete(key);
          socket.removeAllListeners();
          queueMicrotask(done);
        },
      });
    },
    close: () => sockets.clear(),
  };
}
