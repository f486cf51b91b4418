import { randomInt } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { addressOption, DHCP_OPTION, MESSAGE_TYPE, messageType } from "./dhcp-options.ts";
import { encodeDhcp, parseDhcp, type DhcpMessage } from "./dhcp-packet.ts";
import type { Interface } from "./interfaces.ts";
import { bindUdp, closeUdp } from "./internal/udp.ts";

/** A DHCP server that answered. */
export interface OtherServer {
  readonly server: string;
  readonly offered: string;
}

/**
 * Ask the segment whether a DHCP server answers there: send our own DISCOVER and wait for the first OFFER, at
 * most `waitMs`. dnsmasq by default pings an address for 3 s before it offers it, so a shorter wait proves
 * little. Needs port 68; its errors are those of binding a socket (`PXE_PORT_DENIED`, `PXE_ADDRESS_IN_USE`).
 */
export async function probeDhcp(
  via: Interface,
  options: {
    waitMs: number;
    ports?: { dhcp: number; client: number } | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<OtherServer | undefined> {
  const ports = options.ports ?? { dhcp: 67, client: 68 };
  const xid = randomInt(1, 2 ** 32);
  const discover: DhcpMessage = {
    op: 1,
    htype: 1,
    hops: 0,
    xid,
    secs: 0,
    flags: 0x8000, // our card has an address already: only a broadcast reaches this socket
    ciaddr: "0.0.0.0",
    yiaddr: "0.0.0.0",
    siaddr: "0.0.0.0",
    giaddr: "0.0.0.0",
    chaddr: Uint8Array.from(via.mac.split(":"), (pair) => Number.parseInt(pair, 16)),
    sname: "",
    file: "",
    options: new Map([
      [DHCP_OPTION.messageType, Uint8Array.of(MESSAGE_TYPE.discover)],
      [DHCP_OPTION.parameterList, Uint8Array.of(1, 3)],
    ]),
  };
  const purpose = "looking for other DHCP servers";
  const own = await bindUdp({
    address: via.address,
    port: ports.client,
    reuse: true,
    broadcast: true,
    purpose,
  });
  const all = await bindUdp({ address: "255.255.255.255", port: ports.client, reuse: true, purpose }).catch(
    async (error: unknown) => {
      await closeUdp(own);
      throw error;
    },
  );
  const done = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, done.signal]) : done.signal;
  let found: OtherServer | undefined;
  try {
    for (const socket of [own, all]) {
      socket.on("message", (bytes, from) => {
        const parsed = parseDhcp(bytes);
        if (!parsed.ok || parsed.value.op !== 2 || parsed.value.xid !== xid) return;
        // A proxyDHCP server offers no address and is no rival.
        if (messageType(parsed.value) !== MESSAGE_TYPE.offer || parsed.value.yiaddr === "0.0.0.0") return;
        const server = addressOption(parsed.value, DHCP_OPTION.serverId) ?? from.address;
        found ??= { server, offered: parsed.value.yiaddr };
        done.abort();
      });
      socket.on("error", () => undefined);
    }
    const bytes = encodeDhcp(discover);
    const ask = (): void => own.send(bytes, ports.dhcp, "255.255.255.255", () => undefined);
    ask();
    const again = setTimeout(ask, 1000);
    await delay(options.waitMs, undefined, { signal }).catch(() => undefined);
    clearTimeout(again);
    options.signal?.throwIfAborted();
    return found;
  } finally {
    await Promise.all([closeUdp(own), closeUdp(all)]);
  }
}
