/**
 * Clients, losses and crashes by the thousand, without sockets: the server's journal is what it had synced
 * when it died. However it goes, no address has two holders, and what was acknowledged is kept.
 */
import { expect, test } from "vitest";
import {
  dhcpState,
  journalHeader,
  journalLine,
  MESSAGE_TYPE,
  messageType,
  readJournal,
  stepDhcp,
  type DhcpMessage,
  type DhcpState,
} from "../src/index.ts";
import { CONFIG, SERVER } from "./dhcp-lab.ts";
import { mutator, type Mutator } from "./fuzz.ts";
import { firmware, request, requested, serverId } from "./packets.ts";

const LEASE_MS = 600_000;
const config = {
  ...CONFIG,
  space: { ...CONFIG.space, pool: { first: "10.77.0.10", last: "10.77.0.25" } },
};

interface Client {
  readonly mac: string;
  readonly options: Parameters<typeof request>[1];
  /** What it was told last, and until when it may use it. */
  address: string | undefined;
  until: number;
  offered: string | undefined;
  /** Replies to anything but its last message come too late, and are not taken. */
  exchange: number;
}

/** A server whose machine can lose power: what was appended and not yet synced is lost. */
function machine(random: Mutator) {
  let disk = journalHeader();
  let appended = "";
  let waiting: (() => void)[] = [];
  let booted = 0;
  let state: DhcpState = dhcpState(config);
  return {
    sync(): void {
      disk += appended;
      appended = "";
      for (const done of waiting.splice(0)) done();
    },
    crash(now: number): void {
      // Any part of what was written last may have reached the disk.
      disk += appended.slice(0, random.below(appended.length + 1));
      appended = "";
      waiting = [];
      booted = now;
      const journal = readJournal(Buffer.from(disk), { monotonic: 0, wall: now });
      if (!journal) throw new Error("the journal is gone");
      disk = disk.slice(0, journal.end);
      state = dhcpState(config, journal.leases);
    },
    take(message: DhcpMessage, now: number, deliver: (reply: DhcpMessage) => void): void {
      let held = false;
      for (const action of stepDhcp(config, state, message, now - booted)) {
        if (action.kind === "record") {
          appended += journalLine(action.lease, { monotonic: now - booted, wall: now });
          held = true;
        } else if (action.kind === "send") {
          const send = (): void => deliver(action.message);
          if (held) waiting.push(send);
          else send();
        }
      }
    },
  };
}

test("40 networks of 24 clients for 16 addresses, with losses, crashes, releases and late syncs", () => {
  const random = mutator();
  let acknowledged = 0;
  let crashes = 0;
  for (let network = 0; network < 40; network++) {
    const where = `FUZZ_SEED=${random.seed} network ${network}`;
    const server = machine(random);
    const clients: Client[] = Array.from({ length: 24 }, (_, number) => {
      const mac = `52:54:00:00:01:${number.toString(16).padStart(2, "0")}`;
      const options = [[], firmware(0), [[61, Uint8Array.of(255, number)] as const]][number % 3] ?? [];
      return {
        mac,
        options: { mac, options },
        address: undefined,
        until: 0,
        offered: undefined,
        exchange: 0,
      };
    });
    let now = 1_000_000;
    const ask = (
      client: Client,
      type: keyof typeof MESSAGE_TYPE,
      fields: Parameters<typeof request>[1],
    ): void => {
      const options = [...(client.options?.options ?? []), ...(fields?.options ?? [])];
      const exchange = ++client.exchange;
      const asked = now;
      if (random.below(10) === 0) return; // lost on the way
      server.take(request(type, { ...fields, mac: client.mac, options }), now, (reply) => {
        if (random.below(10) === 0 || client.exchange !== exchange) return; // lost on the way back, or late
        const kind = messageType(reply);
        if (kind === MESSAGE_TYPE.offer) client.offered = reply.yiaddr;
        if (kind === MESSAGE_TYPE.nak) {
          // Whoever may still use an address is never told that it is not his.
          expect([reply, client.until > now], where).toEqual([reply, false]);
        }
        if (kind !== MESSAGE_TYPE.ack) return;
        acknowledged++;
        const rival = clients.find(
          (other) => other !== client && other.address === reply.yiaddr && other.until > now,
        );
        expect(rival?.mac, `${where}: ${reply.yiaddr} has a holder`).toBeUndefined();
        // A lease that is in force is not exchanged for another.
        if (client.until > now) expect(reply.yiaddr, where).toBe(client.address);
        client.address = reply.yiaddr;
        client.until = asked + LEASE_MS;
      });
    };
    for (let step = 0; step < 400; step++) {
      now += random.below(3000) * (random.below(20) === 0 ? 100 : 1);
      const client = clients[random.below(clients.length)] as Client;
      const held = client.address !== undefined && client.until > now;
      const choice = random.below(20);
      if (choice === 0) {
        server.crash(now);
        crashes++;
      } else if (choice === 1 && held) {
        ask(client, "release", { ciaddr: client.address ?? "", options: [serverId(SERVER)] });
        client.until = 0;
      } else if (choice === 2 && held) {
        ask(client, "request", { options: [requested(client.address ?? "")] });
      } else if (choice < 6 && held) ask(client, "request", { ciaddr: client.address ?? "" });
      else {
        ask(client, "discover", {});
        if (client.offered !== undefined && !held) {
          ask(client, "request", { options: [requested(client.offered), serverId(SERVER)] });
        }
      }
      if (random.below(4) === 0) server.sync();
    }
    // In the end everybody who holds a lease is still known, after one more crash.
    server.sync();
    server.crash(now);
    for (const client of clients) {
      if (client.until <= now) continue;
      const told: (number | string | undefined)[] = [];
      const fields = {
        mac: client.mac,
        options: [...(client.options?.options ?? []), requested(client.address ?? "")],
      };
      server.take(request("request", fields), now, (reply) => told.push(messageType(reply), reply.yiaddr));
      server.sync();
      expect(told, `${where}: ${client.mac}`).toEqual([MESSAGE_TYPE.ack, client.address]);
    }
  }
  console.log(`${acknowledged} acknowledged leases, ${crashes} crashes`);
  expect(acknowledged).toBeGreaterThan(3000);
});
