import {
  createTftpService,
  type TftpPeer,
  type TftpPortEvents,
  type TftpService,
  type TftpServiceOptions,
} from "../../src/index.ts";
import type { World } from "./world.ts";

/** A TFTP server in the world. */
export interface SimulatedServer {
  readonly service: TftpService;
  /** A datagram to one of its ports; 69 is the first. */
  receive(bytes: Uint8Array, port: number, from: TftpPeer): void;
}

/** Put the service into the world; `send` carries what it says to a client, with the port that it came from. */
export function createServer(
  world: World,
  options: TftpServiceOptions & { readonly singlePort?: boolean },
  send: (bytes: Uint8Array, port: number, to: TftpPeer) => void,
): SimulatedServer {
  const { singlePort, ...rest } = options;
  const ports = new Map<number, TftpPortEvents>();
  let next = 40_000;
  const service = createTftpService(
    rest,
    {
      now: () => world.now(),
      wake: (at, callback) => world.at(at, callback),
      ...(singlePort !== true && {
        open(events: TftpPortEvents) {
          const port = next++;
          ports.set(port, events);
          return Promise.resolve({
            send(bytes: Uint8Array, to: TftpPeer) {
              send(bytes, port, to);
              return false;
            },
            close() {
              ports.delete(port);
              return Promise.resolve();
            },
          });
        },
      }),
    },
    {
      send(bytes, to) {
        send(bytes, 69, to);
        return false;
      },
    },
  );
  return {
    service,
    receive(bytes, port, from) {
      if (port === 69) service.receive(bytes, from);
      else ports.get(port)?.receive(bytes, from);
    },
  };
}
