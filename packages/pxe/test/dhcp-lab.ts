/** An authoritative server without sockets, for tests. */
import { expect } from "vitest";
import {
  dhcpState,
  MESSAGE_TYPE,
  messageType,
  stepDhcp,
  type DhcpAction,
  type DhcpConfig,
  type DhcpMessage,
  type Lease,
} from "../src/index.ts";
import { request, requested, serverId } from "./packets.ts";

export const SERVER = "10.77.0.1";
export const CONFIG: DhcpConfig = {
  subnet: { address: SERVER, netmask: "255.255.255.0" },
  space: { pool: { first: "10.77.0.10", last: "10.77.0.12" }, fixed: new Map(), taken: new Set([SERVER]) },
  leaseSeconds: 600,
  router: undefined,
  dns: [],
  allow: undefined,
  site: {
    address: SERVER,
    httpPort: 8080,
    tftpPort: 69,
    binaries: { bios: "undionly.kpxe", "efi-x64": "snponly.efi" },
  },
  sole: true,
  ports: { server: 67, client: 68 },
};

/** A server that remembers, and what it sent, reported and recorded last. */
export function server(config: DhcpConfig = CONFIG, kept: readonly Lease[] = []) {
  const state = dhcpState(config, kept);
  let now = 1000;
  return {
    leases: state.leases,
    wait: (milliseconds: number) => (now += milliseconds),
    take(message: DhcpMessage) {
      const actions = stepDhcp(config, state, message, now);
      const sent = actions.filter((action) => action.kind === "send");
      const events = actions.flatMap((action: DhcpAction) =>
        action.kind === "report" ? [action.event] : [],
      );
      const records = actions.flatMap((action) => (action.kind === "record" ? [action.lease] : []));
      expect(sent.length).toBeLessThanOrEqual(1);
      const [first] = sent;
      return { reply: first?.message, to: first?.to, maxBytes: first?.maxBytes, events, records, actions };
    },
    /** The whole exchange; the address. */
    lease(fields: Parameters<typeof request>[1] = {}): string {
      const offer = this.take(request("discover", fields)).reply;
      const options = [...(fields?.options ?? []), requested(offer?.yiaddr ?? ""), serverId(SERVER)];
      const ack = this.take(request("request", { ...fields, options })).reply;
      expect(ack && messageType(ack)).toBe(MESSAGE_TYPE.ack);
      return ack?.yiaddr ?? "";
    },
  };
}
