import { PxeError } from "./errors.ts";
import { HOST_NETWORK, type Network } from "./internal/network.ts";
import { closeUdp } from "./internal/udp.ts";
import { wakefulLoop, type WakefulLoop } from "./internal/wakeful-loop.ts";
import type { TftpHost, TftpPort, TftpPortEvents } from "./tftp-host.ts";
import { createTftpService, type TftpServiceOptions } from "./tftp-service.ts";
import { openUploads, type TftpUploads } from "./tftp-uploads.ts";

/** How to serve files by TFTP. */
export interface TftpServerOptions extends Omit<TftpServiceOptions, "uploads"> {
  /** The address to listen on and to answer from: one of this machine, so that answers come from where they were asked. */
  readonly address: string;
  /** 69 unless told; 0 picks a free one. */
  readonly port?: number | undefined;
  /**
   * Answer from the port of the requests, for clients behind a firewall or a container's port mapping. Transfers
   * are then told apart by the client's address and port, and a forged one can be driven by forged ACKs.
   */
  readonly singlePort?: boolean | undefined;
  /** Whose sockets: this machine's unless told; see `openStation`. */
  readonly network?: Network | undefined;
  /** Take files from clients; refused unless told. */
  readonly uploads?: TftpUploads | undefined;
}

/** A running TFTP server; disposing it ends its transfers. */
export interface TftpServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

/** An answer that came so soon is worth staying awake for, in milliseconds: the next one is likely to. */
const SOON_MS = 0.2;

/** A bound socket as a port of the service. */
async function openPort(
  network: Network,
  loop: WakefulLoop,
  where: { address: string; port: number; purpose: string },
  events: TftpPortEvents,
): Promise<TftpPort & { readonly number: number }> {
  const socket = await network.bindUdp(where);
  let open = true;
  let sentAt = 0;
  let soon = false;
  socket.on("message", (datagram, from) => {
    soon = performance.now() - sentAt < SOON_MS;
    events.receive(datagram, from);
  });
  socket.on("error", events.failed);
  return {
    number: socket.address().port,
    send(datagram, to) {
      // Without a callback: that alone would cost as much again as the packet.
      if (open) socket.send(datagram, to.port, to.address);
      sentAt = performance.now();
      if (soon) loop.until(sentAt + SOON_MS);
      return open && socket.getSendQueueCount() === 0;
    },
    close() {
      open = false;
      return closeUdp(socket);
    },
  };
}

/**
 * Serve files (RFC 1350, 2347, 2348, 2349, 7440), every transfer from a port of its own unless told, with a
 * retransmission timer that follows the measured round trip. Requests to a broadcast address are not answered.
 *
 * Errors: `PXE_PORT_DENIED`, `PXE_ADDRESS_IN_USE`, `PXE_ADDRESS_INVALID`, `PXE_SOCKET_FAILED`, `PXE_UPLOADS_INVALID`.
 *
 * @example
 * ```ts
 * import { startTftpServer } from "@justenough/pxe";
 * const files = new Map([["hello.txt", { kind: "bytes", bytes: new TextEncoder().encode("hello\n") } as const]]);
 * const server = await startTftpServer({ address: "127.0.0.1", port: 0, files });
 * console.log(`curl tftp://127.0.0.1:${server.port}/hello.txt`);
 * await server.close();
 * ```
 */
export async function startTftpServer(options: TftpServerOptions): Promise<TftpServer> {
  const { address, uploads, singlePort, network = HOST_NETWORK, ...rest } = options;
  if (address === "0.0.0.0") {
    throw new PxeError("PXE_ADDRESS_INVALID", "Cannot serve TFTP on 0.0.0.0", {
      hint: "name one address of this machine: answers must come from the address that was asked",
    });
  }
  const root = uploads && (await openUploads(uploads));
  const emit = options.onEvent ?? (() => undefined);
  const loop = wakefulLoop();
  const host: TftpHost = {
    now: () => performance.now(),
    wake(at, callback) {
      let immediate: NodeJS.Immediate | undefined;
      const timer = setTimeout(
        () => {
          // Node runs timers before it looks at its sockets: what has come meanwhile, while this process was
          // busy, is heard first. Else a busy server would repeat what has long been confirmed.
          immediate = setImmediate(callback);
        },
        Math.max(1, Math.ceil(at - performance.now())),
      );
      return () => {
        clearTimeout(timer);
        clearImmediate(immediate);
      };
    },
    ...(singlePort !== true && {
      open: (events: TftpPortEvents) =>
        openPort(network, loop, { address, port: 0, purpose: "a TFTP transfer" }, events),
    }),
  };
  const port = await openPort(
    network,
    loop,
    { address, port: options.port ?? 69, purpose: "TFTP" },
    {
      receive: (datagram, from) => service.receive(datagram, from),
      failed: ({ message }) =>
        emit({ kind: "warning", code: "socket", message: `TFTP on ${address}: ${message}` }),
    },
  );
  const service = createTftpService({ ...rest, uploads: root }, host, port);
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      await service.close();
      await port.close();
    })());
  return { address, port: port.number, close, [Symbol.asyncDispose]: close };
}
