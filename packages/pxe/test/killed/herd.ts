/** A herd of DHCP clients behind one relay, who know what they were promised. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { encodeDhcp, MESSAGE_TYPE, messageType, parseDhcp, type DhcpMessage } from "../../src/index.ts";
import type { Mutator } from "../fuzz.ts";
import { request, requested, serverId } from "../packets.ts";

const SERVER = "10.99.0.1";
const RELAY = "10.99.0.2";
/** Clients that are in the middle of an exchange at any time. */
const BUSY = 64;

interface Client {
  readonly mac: string;
  readonly number: number;
  /** What was acknowledged and not given back. */
  address: string | undefined;
  /** The transaction that it waits for; other replies are not its business. */
  xid: number;
}

export interface Herd {
  /** Let clients come, renew, reboot and leave until told to stop. */
  run(stop: AbortSignal): Promise<void>;
  /** Ask after every acknowledged lease (INIT-REBOOT): what was lost or changed. */
  confirm(): Promise<readonly string[]>;
  /** Acknowledged leases by now, and everything that was wrong. */
  readonly counts: { acknowledged: number; held: number };
  readonly faults: readonly string[];
  close(): void;
}

export async function herd(random: Mutator, size: number): Promise<Herd> {
  const socket: Socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
  socket.bind(67, RELAY);
  await once(socket, "listening");
  const clients: Client[] = Array.from({ length: size }, (_, number) => ({
    mac: `52:54:01:${[16, 8, 0].map((shift) => ((number >> shift) & 255).toString(16).padStart(2, "0")).join(":")}`,
    number,
    address: undefined,
    xid: 0,
  }));
  const holders = new Map<string, Client>();
  const faults: string[] = [];
  const counts = { acknowledged: 0, held: 0 };
  let sequence = 0;
  let onIdle: (client: Client) => void = () => undefined;
  let onConfirmed: ((client: Client, reply: DhcpMessage) => void) | undefined;

  const send = (
    client: Client,
    type: keyof typeof MESSAGE_TYPE,
    fields: Parameters<typeof request>[1],
  ): void => {
    // The client's number is in the transaction's, so that a reply finds it.
    client.xid = (((++sequence & 0xffff) << 16) | client.number) >>> 0;
    const message = request(type, { ...fields, mac: client.mac, xid: client.xid, giaddr: RELAY, flags: 0 });
    socket.send(encodeDhcp(message), 67, SERVER, () => undefined);
  };
  const forget = (client: Client): void => {
    if (client.address !== undefined) holders.delete(client.address);
    client.address = undefined;
    counts.held = holders.size;
  };
  const acknowledged = (client: Client, address: string): void => {
    counts.acknowledged++;
    const holder = holders.get(address);
    if (holder && holder !== client) faults.push(`${address} of ${holder.mac} was given to ${client.mac}`);
    if (client.address !== undefined && client.address !== address) {
      faults.push(`${client.mac} had ${client.address} and was given ${address}`);
      forget(client);
    }
    client.address = address;
    holders.set(address, client);
    counts.held = holders.size;
  };
  const begin = (client: Client): void => {
    const { address: held } = client;
    const choice = random.below(10);
    if (held === undefined) send(client, "discover", {});
    else if (choice === 0) {
      send(client, "release", { ciaddr: held, options: [serverId(SERVER)] });
      forget(client);
      onIdle(client);
    } else if (choice === 1) {
      send(client, "decline", { options: [requested(held), serverId(SERVER)] });
      forget(client);
      onIdle(client);
    } else if (choice < 4) send(client, "request", { options: [requested(held)] });
    else if (choice < 6) send(client, "discover", {});
    else send(client, "request", { ciaddr: held });
  };
  socket.on("message", (bytes) => {
    const parsed = parseDhcp(bytes);
    if (!parsed.ok) return;
    const reply = parsed.value;
    const client = clients[reply.xid & 0xffff];
    if (client?.xid !== reply.xid) return;
    const type = messageType(reply);
    if (type === MESSAGE_TYPE.offer) {
      send(client, "request", { options: [requested(reply.yiaddr), serverId(SERVER)] });
      return;
    }
    client.xid = 0;
    if (type === MESSAGE_TYPE.ack) acknowledged(client, reply.yiaddr);
    else if (client.address !== undefined) {
      faults.push(`${client.mac} was refused its ${client.address}`);
      forget(client);
    }
    if (onConfirmed) onConfirmed(client, reply);
    else onIdle(client);
  });

  return {
    counts,
    faults,
    async run(stop) {
      const free = [...clients];
      const next = (): void => {
        const index = random.below(free.length);
        const [client] = free.splice(index, 1);
        if (client) begin(client);
      };
      onIdle = (client) => {
        free.push(client);
        // In a turn of its own: a release is over at once.
        if (!stop.aborted) setImmediate(next);
      };
      for (let count = 0; count < BUSY; count++) next();
      if (!stop.aborted) await once(stop, "abort");
      // What the server sent before it died still counts.
      await delay(20);
      onIdle = () => undefined;
      for (const client of clients) client.xid = 0;
    },
    async confirm() {
      const lost = new Set(clients.filter((client) => client.address !== undefined));
      onConfirmed = (client) => lost.delete(client);
      for (let attempt = 0; attempt < 10 && lost.size > 0; attempt++) {
        const asked = [...lost];
        // Not all at once: a datagram that does not fit into a socket's buffer is no fault of the server's.
        for (let from = 0; from < asked.length; from += 100) {
          for (const client of asked.slice(from, from + 100)) {
            send(client, "request", { options: [requested(client.address ?? "")] });
          }
          await delay(5);
        }
        for (let wait = 0; wait < 20 && lost.size > 0; wait++) await delay(10);
      }
      onConfirmed = undefined;
      return [...lost].map(({ mac, address }) => `${mac} lost ${address ?? ""}`);
    },
    close: () => socket.close(),
  };
}
