import { formatMac, parseMac } from "../address.ts";
import type { Network } from "../internal/network.ts";
import { socketError } from "../internal/socket-error.ts";
import type { FrameLink } from "./frame-link.ts";
import { IP_PROTOCOL, type Ipv4Packet } from "./ipv4.ts";
import { sameBytes } from "./ethernet.ts";
import { EMPTY_STATION, stepStation, type StationEvent } from "./station-engine.ts";
import { tcpHost } from "./tcp-host.ts";
import type { TcpStream } from "./tcp-stream.ts";
import { ipv4Bytes, udpHost } from "./udp-host.ts";

/** Who a station is. */
export interface StationOptions {
  readonly link: FrameLink;
  readonly address: string;
  readonly netmask: string;
  /** Made from the address unless told. */
  readonly mac?: string | undefined;
}

/** A machine of ours on a cable, without the help of this machine's kernel. */
export interface Station extends Network, AsyncDisposable {
  readonly mac: string;
  /** Resolves when the cable was pulled, or the station closed. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

/** Connections that neither side uses are cut: a machine that was switched off says no good-bye. */
const IDLE_MS = 120_000;
const FIRST_HTTP_PORT = 8080;

/**
 * Put a station on a cable: ARP, IPv4 (no fragments), UDP, TCP (RFC 9293, server side), ping, and the router
 * advertisement that ends iPXE's wait for IPv6. It needs no root, and no port or interface of this machine.
 *
 * @example
 * ```ts
 * import { listenFrames, openStation, startTftpServer } from "@justenough/pxe";
 * await using link = await listenFrames("guests.sock");
 * await using network = openStation({ link, address: "10.77.0.1", netmask: "255.255.255.0" });
 * const files = new Map([["hello.txt", { kind: "bytes", bytes: new TextEncoder().encode("hello\n") } as const]]);
 * await using tftp = await startTftpServer({ address: "10.77.0.1", files, network });
 * console.log(tftp.port); // 69, of the station
 * ```
 */
export function openStation(options: StationOptions): Station {
  const { link } = options;
  const address = ipv4Bytes(options.address);
  const netmask = ipv4Bytes(options.netmask);
  const mac =
    options.mac === undefined
      ? Uint8Array.of(0x52, 0x55, ...address)
      : Uint8Array.from(parseMac(options.mac).split(":"), (pair) => Number.parseInt(pair, 16));
  const config = { mac, address, netmask };
  let state = EMPTY_STATION;
  let wake: NodeJS.Timeout | undefined;
  let armed = Number.POSITIVE_INFINITY;
  let over = false;
  let resolveClosed: () => void;
  const closed = new Promise<void>((resolve) => {
    resolveClosed = resolve;
  });

  const arm = (): void => {
    if (armed === state.deadline) return;
    clearTimeout(wake);
    armed = state.deadline;
    if (armed === Number.POSITIVE_INFINITY) return;
    wake = setTimeout(
      () => {
        armed = Number.POSITIVE_INFINITY;
        step({ kind: "timer" });
      },
      Math.max(1, Math.ceil(armed - performance.now())),
    );
  };
  // A packet that is taken may be answered at once: steps are nested, but each has changed the state by then.
  const step = (event: StationEvent): string | undefined => {
    if (over) return undefined;
    const outcome = stepStation(config, state, event, performance.now());
    state = outcome.state;
    let refused: string | undefined;
    for (const action of outcome.actions) {
      if (action.kind === "frame") link.send(action.bytes);
      else if (action.kind === "refused") refused = action.code;
      else receive(action.packet);
    }
    arm();
    return refused;
  };
  const send = (packet: Ipv4Packet): string | undefined => step({ kind: "packet", packet });
  const udp = udpHost(address, send);
  const tcp = tcpHost(address, (packet) => void send(packet));
  const receive = (packet: Ipv4Packet): void => {
    if (packet.protocol === IP_PROTOCOL.udp) udp.receive(packet);
    else if (packet.protocol === IP_PROTOCOL.tcp && sameBytes(packet.to, address)) tcp.receive(packet);
  };

  const shut = (): void => {
    if (over) return;
    tcp.close();
    udp.close();
    over = true;
    clearTimeout(wake);
    resolveClosed();
  };
  void (async () => {
    for await (const bytes of link.frames) {
      if (over) return;
      step({ kind: "frame", bytes });
    }
  })().finally(shut);

  const close = (): Promise<void> => {
    shut();
    return closed;
  };
  return {
    mac: formatMac(mac),
    closed,
    close,
    [Symbol.asyncDispose]: close,
    bindUdp: (binding) =>
      new Promise((resolve) => {
        resolve(udp.bind(binding));
      }),
    listenHttp(server, at) {
      const streams = new Set<TcpStream>();
      const take = (stream: TcpStream): void => {
        streams.add(stream);
        stream.once("close", () => streams.delete(stream));
        server.emit("connection", stream);
      };
      server.setTimeout(IDLE_MS);
      let { port } = at;
      let listener = tcp.listen(port || FIRST_HTTP_PORT, take);
      if (port === 0) for (port = FIRST_HTTP_PORT; !listener; listener = tcp.listen(port, take)) port += 1;
      if (!listener) {
        const cause = Object.assign(new Error("EADDRINUSE"), { code: "EADDRINUSE" });
        const where = { address: at.address, port, purpose: "HTTP", protocol: "TCP" } as const;
        return Promise.reject(socketError(cause, where));
      }
      const { close } = listener;
      return Promise.resolve({
        port,
        close() {
          close();
          for (const stream of streams) stream.destroy();
          return Promise.resolve();
        },
      });
    },
  };
}
