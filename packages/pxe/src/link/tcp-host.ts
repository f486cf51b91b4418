import { randomInt } from "node:crypto";
import type { Ipv4Packet } from "./ipv4.ts";
import { tcpConnection, type TcpConnection } from "./tcp-connection.ts";
import { encodeTcp, parseTcp, TCP_FLAG, type TcpSegment } from "./tcp-segment.ts";
import { positionOf } from "./tcp-state.ts";
import type { TcpStream } from "./tcp-stream.ts";

/** The listening ports and the connections of a station. */
export interface TcpHost {
  /** Take a packet for us. */
  receive(packet: Ipv4Packet): void;
  /** Listen on a port; undefined when it is taken. */
  listen(port: number, onConnection: (stream: TcpStream) => void): { close(): void } | undefined;
  /** How many connections there are, also those that are ending. */
  readonly size: number;
  close(): void;
}

/** Connections in all and of one peer, and those whose handshake is not complete: more of these push out the oldest. */
const MOST = { connections: 1024, ofPeer: 256, halfOpen: 128 } as const;

/** Make the host; `send` takes packets. */
export function tcpHost(own: Uint8Array, send: (packet: Ipv4Packet) => void): TcpHost {
  const listeners = new Map<number, (stream: TcpStream) => void>();
  const connections = new Map<string, TcpConnection>();
  /** Keys of those whose handshake is not complete, the oldest first. */
  const halfOpen = new Set<string>();

  /** RFC 9293 section 3.10.7.1: what is for nobody is answered by a reset, except a reset. */
  const refuse = (packet: Ipv4Packet, segment: TcpSegment): void => {
    if ((segment.flags & TCP_FLAG.rst) !== 0) return;
    const ports = { sourcePort: segment.destinationPort, destinationPort: segment.sourcePort };
    const length =
      segment.data.length +
      ((segment.flags & TCP_FLAG.syn) === 0 ? 0 : 1) +
      ((segment.flags & TCP_FLAG.fin) === 0 ? 0 : 1);
    const answer =
      (segment.flags & TCP_FLAG.ack) === 0
        ? { seq: 0, ack: (segment.seq + length) >>> 0, flags: TCP_FLAG.rst | TCP_FLAG.ack }
        : { seq: segment.ack, ack: 0, flags: TCP_FLAG.rst };
    send(encodeTcp(own, packet.from, { ...ports, ...answer, window: 0 }));
  };

  const forget = (key: string): void => {
    connections.get(key)?.drop();
    connections.delete(key);
    halfOpen.delete(key);
  };

  /** Room for one more, at the cost of one that only waits for stray segments; false when there is none. */
  const makeRoom = (peer: string): boolean => {
    const ofPeer = [...connections].filter(([key]) => key.startsWith(`${peer}:`));
    const among =
      ofPeer.length >= MOST.ofPeer ? ofPeer : connections.size >= MOST.connections ? [...connections] : [];
    if (among.length === 0) return true;
    const ending = among.find(([, { state }]) => state.phase === "time-wait");
    if (ending) forget(ending[0]);
    return ending !== undefined;
  };

  const accept = (packet: Ipv4Packet, syn: TcpSegment, key: string, peer: string): void => {
    const onConnection = listeners.get(syn.destinationPort);
    if (!onConnection) return refuse(packet, syn);
    if (halfOpen.size >= MOST.halfOpen) forget(halfOpen.values().next().value ?? "");
    if (!makeRoom(peer)) return; // it will ask again
    halfOpen.add(key);
    const connection = tcpConnection({
      own,
      peer: packet.from.slice(),
      syn: { ...syn, data: new Uint8Array(0) },
      iss: randomInt(2 ** 32),
      send,
      onOpen(stream) {
        halfOpen.delete(key);
        onConnection(stream);
      },
      onClosed() {
        if (connections.get(key) === connection) connections.delete(key);
        halfOpen.delete(key);
      },
    });
    connections.set(key, connection);
  };

  return {
    receive(packet) {
      const segment = parseTcp(packet);
      if (!segment) return;
      const peer = packet.from.join(".");
      const key = `${peer}:${segment.sourcePort}:${segment.destinationPort}`;
      const known = connections.get(key);
      const syn =
        (segment.flags & (TCP_FLAG.syn | TCP_FLAG.ack | TCP_FLAG.rst | TCP_FLAG.fin)) === TCP_FLAG.syn;
      if (known) {
        const { state } = known;
        // A new connection of the same ports, later than all that was said in the old one (RFC 9293 MAY-2).
        const anew =
          syn &&
          state.phase === "time-wait" &&
          positionOf(segment.seq, state.irs, state.received) > state.received;
        if (!anew) return known.receive(segment);
        forget(key);
      }
      if (syn) accept(packet, segment, key, peer);
      else refuse(packet, segment);
    },
    listen(port, onConnection) {
      if (listeners.has(port)) return undefined;
      listeners.set(port, onConnection);
      return { close: () => void listeners.delete(port) };
    },
    get size() {
      return connections.size;
    },
    close() {
      for (const connection of connections.values()) connection.abort();
      connections.clear();
      listeners.clear();
    },
  };
}
