/**
 * What the standards say of a DHCP server, statement by statement. The names are those of the documents, so
 * that each can be found; most need no more than one exchange. What is not here is in dhcp-packet.test.ts
 * (the bytes), proxy-engine.test.ts and client.test.ts.
 */
import { describe, expect, test } from "vitest";
import {
  addressOption,
  DHCP_OPTION,
  encodeDhcp,
  MESSAGE_TYPE,
  messageType,
  parseDhcp,
  textBytes,
  type DhcpMessage,
} from "../src/index.ts";
import { CONFIG, server, SERVER } from "./dhcp-lab.ts";
import { firmware, ipxe, MAC, request, requested, serverId } from "./packets.ts";

const option = (code: number, ...bytes: number[]) => [code, Uint8Array.from(bytes)] as const;
const typeOf = (message: DhcpMessage | undefined) => message && messageType(message);
const codes = (message: DhcpMessage | undefined) => [...(message?.options.keys() ?? [])];
const other = "52:54:00:00:00:02";
const relay = "10.77.0.9";

/** The bytes as they would go out, and what a client reads in them. */
function onWire(
  message: DhcpMessage | undefined,
  maxBytes?: number,
): { bytes: Uint8Array; read: DhcpMessage } {
  if (!message) throw new Error("there is no reply");
  const bytes = encodeDhcp(message, { maxBytes });
  const read = parseDhcp(bytes);
  if (!read.ok) throw new Error(read.reason);
  return { bytes, read: read.value };
}

describe("the reply's frame", () => {
  test("RFC 2131 4.3.1 table 3: op 2; htype, hlen, xid, flags, giaddr, chaddr copied; hops and secs 0", () => {
    const chaddr = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const fields = { htype: 6, chaddr, xid: 0x8000_0001, flags: 0x8000, giaddr: relay, hops: 3, secs: 9 };
    const { bytes } = onWire(server().take(request("discover", fields)).reply);
    expect([...bytes.subarray(0, 12)]).toEqual([2, 6, 8, 0, 0x80, 0, 0, 1, 0, 0, 0x80, 0]);
    expect([...bytes.subarray(24, 28)]).toEqual([10, 77, 0, 9]);
    expect([...bytes.subarray(28, 44)]).toEqual([...chaddr, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
  test("RFC 2131 3 and 4.1: cookie 63 82 53 63, option 53 first, 255 last", () => {
    const { bytes } = onWire(server().take(request("discover", { options: firmware(0) })).reply);
    expect([...bytes.subarray(236, 243)]).toEqual([0x63, 0x82, 0x53, 0x63, 53, 1, 2]);
    expect(bytes.findLast((byte) => byte !== 0)).toBe(255);
  });
  test("RFC 1542 2.1: at least 300 bytes", () => {
    const options = [requested("192.168.9.9")];
    expect(onWire(server().take(request("request", { options })).reply).bytes.length).toBe(300);
  });
  test("RFC 2131 4.3.1 table 3: an OFFER has no ciaddr, an ACK has the client's", () => {
    const one = server();
    const ciaddr = one.lease();
    expect(one.take(request("discover", { ciaddr })).reply?.ciaddr).toBe("0.0.0.0");
    expect(one.take(request("request", { ciaddr })).reply?.ciaddr).toBe(ciaddr);
  });
  test("RFC 2131 4.3.1 table 3: the ACK's yiaddr is the address of the REQUEST's binding", () => {
    const one = server();
    const address = one.lease({ options: [requested("10.77.0.12")] });
    expect(one.take(request("request", { ciaddr: address })).reply?.yiaddr).toBe("10.77.0.12");
  });
  test("RFC 951: a BOOTP request, which has no option 53, is not answered", () => {
    const bare = { ...request("discover"), options: new Map<number, Uint8Array>() };
    expect(server().take(bare).actions).toEqual([]);
  });
  test("a reply of another server (op 2) is not answered", () => {
    expect(server().take(request("discover", { op: 2 })).actions).toEqual([]);
  });
  test.each([2, 5, 6, 9, 200])(
    "a message of type %i, which no client sends to a server, is not answered",
    (type) => {
      const message = { ...request("discover"), options: new Map([option(53, type)]) };
      expect(server().take(message).actions).toEqual([]);
    },
  );
});

describe("options of a reply", () => {
  test("RFC 2131 4.3.1 table 3: OFFER and ACK have 54 and 51, whether asked for or not", () => {
    const one = server();
    const options = [option(55, 12)];
    const offer = one.take(request("discover", { options })).reply;
    const chosen = [...options, requested(offer?.yiaddr ?? ""), serverId(SERVER)];
    for (const reply of [offer, one.take(request("request", { options: chosen })).reply]) {
      expect(reply && addressOption(reply, 54)).toBe(SERVER);
      expect(codes(reply)).toEqual(expect.arrayContaining([1, 51, 54]));
    }
  });
  test("RFC 2131 4.3.1 table 3: never 50, 55, 57 or the client's 60, though the client sends them", () => {
    const options = [...firmware(0), option(55, 1, 3, 50, 57), option(57, 5, 220), requested("10.77.0.11")];
    for (const code of [50, 55, 57, 60]) {
      expect(codes(server().take(request("discover", { options })).reply)).not.toContain(code);
    }
  });
  test("RFC 2131 4.3.1 table 3: a NAK has 54 and a reason (56), no lease time and no parameters", () => {
    const options = [option(55, 1, 3, 51), option(61, 1, 2), requested("192.168.9.9")];
    const nak = server().take(request("request", { options })).reply;
    expect(codes(nak)).toEqual([53, 54, 56, 61]);
    expect([nak?.yiaddr, nak?.siaddr, nak?.ciaddr, nak?.file]).toEqual(["0.0.0.0", "0.0.0.0", "0.0.0.0", ""]);
  });
  test("RFC 6842 3: the client's 61 is echoed in OFFER, ACK and NAK, and not made up", () => {
    const id = option(DHCP_OPTION.clientId, 255, 0, 1, 2);
    const one = server();
    const offer = one.take(request("discover", { options: [id] })).reply;
    const ack = one.take(
      request("request", { options: [id, requested(offer?.yiaddr ?? ""), serverId(SERVER)] }),
    ).reply;
    const nak = one.take(request("request", { options: [id, requested("192.168.9.9")] })).reply;
    expect([typeOf(offer), typeOf(ack), typeOf(nak)]).toEqual([2, 5, 6]);
    for (const reply of [offer, ack, nak]) expect(reply?.options.get(61)).toEqual(id[1]);
    expect(codes(server().take(request("discover")).reply)).not.toContain(61);
  });
  test("RFC 3046 2.2: what a relay agent added (82) is echoed whole, in every reply, as the last option", () => {
    const agent = option(DHCP_OPTION.relayAgent, 1, 4, 0, 0, 0, 7, 2, 2, 9, 9);
    const one = server();
    const all = { giaddr: relay, options: [agent, option(61, 1, 2)] };
    const offer = one.take(request("discover", all)).reply;
    const chosen = [...all.options, requested(offer?.yiaddr ?? ""), serverId(SERVER)];
    const ack = one.take(request("request", { ...all, options: chosen })).reply;
    const nak = one.take(request("request", { ...all, options: [agent, requested("192.168.9.9")] })).reply;
    expect([typeOf(offer), typeOf(ack), typeOf(nak)]).toEqual([2, 5, 6]);
    for (const reply of [offer, ack, nak]) {
      const { bytes, read } = onWire(reply);
      expect(read.options.get(82)).toEqual(agent[1]);
      expect(codes(read).at(-1)).toBe(82);
      expect(bytes.length).toBeGreaterThanOrEqual(300);
    }
  });
  test("RFC 2132 9.8: parameters come in the order of option 55; those that it leaves out come too", () => {
    const config = { ...CONFIG, router: "10.77.0.1", dns: ["10.77.0.1", "10.77.0.2"] };
    const { reply } = server(config).take(request("discover", { options: [option(55, 6, 28, 1)] }));
    expect(codes(reply)).toEqual([53, 54, 51, 6, 28, 1, 58, 59, 3]);
    expect(reply?.options.get(6)).toEqual(Uint8Array.of(10, 77, 0, 1, 10, 77, 0, 2));
  });
  test("RFC 2132 3.3: the netmask comes before the router, also when option 55 has them the other way round", () => {
    const { reply } = server({ ...CONFIG, router: "10.77.0.1" }).take(
      request("discover", { options: [option(55, 3, 6, 1)] }),
    );
    expect(codes(reply).indexOf(1)).toBeLessThan(codes(reply).indexOf(3));
  });
  test("RFC 2131 4.4.5: T1 is half and T2 seven eighths of the lease, in whole seconds", () => {
    const { reply } = server({ ...CONFIG, leaseSeconds: 3601 }).take(request("discover"));
    const seconds = (code: number) => Buffer.from(reply?.options.get(code) ?? []).readUInt32BE();
    expect([51, 58, 59].map((code) => seconds(code))).toEqual([3601, 1800, 3150]);
  });
  test("RFC 2132 9.10: what does not fit into 576 bytes is sent within the client's 57, which is at least 576", () => {
    const agent = [DHCP_OPTION.relayAgent, new Uint8Array(255).fill(1)] as const;
    const id = [DHCP_OPTION.clientId, new Uint8Array(255).fill(2)] as const;
    const take = (size: number) => {
      const options = [agent, id, option(57, size >> 8, size & 255), ...ipxe()];
      const { reply, maxBytes } = server().take(request("discover", { options }));
      return { reply, maxBytes };
    };
    const large = take(1260);
    expect(onWire(large.reply, large.maxBytes).bytes.length).toBeLessThanOrEqual(1260 - 28);
    expect(onWire(large.reply, large.maxBytes).bytes.length).toBeGreaterThan(576);
    // The boot file's name has the file field; the rest must be told that it does not fit.
    expect(() => onWire(take(100).reply, take(100).maxBytes)).toThrow(/Option \d+ does not fit/);
    expect(take(100).maxBytes).toBe(576);
    expect(take(65_535).maxBytes).toBe(1500);
  });
  test("RFC 2132 9.3: file and sname take options only when the others are full, and 52 says so", () => {
    const agent = [DHCP_OPTION.relayAgent, new Uint8Array(230).fill(1)] as const;
    const id = [DHCP_OPTION.clientId, new Uint8Array(60).fill(2)] as const;
    const { reply } = server().take(request("discover", { options: [agent, id] }));
    const { bytes, read } = onWire(reply, 576);
    expect(bytes.length).toBeLessThanOrEqual(548);
    expect(bytes[108]).not.toBe(0);
    expect([...bytes.subarray(240, 246)]).toEqual([53, 1, 2, 52, 1, 1]);
    expect(read.options).toEqual(reply?.options);
    const { bytes: small } = onWire(server().take(request("discover")).reply);
    expect([small[44], small[108]]).toEqual([0, 0]);
  });
  test("RFC 3942: the codes 128 to 135 that every PXE client asks for mean nothing here", () => {
    const list = option(55, 128, 129, 130, 131, 132, 133, 134, 135, 150, 208, 209, 210, 211, 224, 254);
    const { reply } = server().take(request("discover", { options: [...firmware(0), list] }));
    expect(codes(reply)).toEqual([53, 54, 51, 58, 59, 1, 28, 97]);
  });
});

describe("where a reply goes", () => {
  const everybody = { address: "255.255.255.255", port: 68 };
  test("RFC 2131 4.1: with giaddr to the relay's port 67, whatever the flag says", () => {
    for (const flags of [0, 0x8000]) {
      const { to } = server().take(request("discover", { giaddr: relay, flags }));
      expect(to).toEqual({ address: relay, port: 67 });
    }
  });
  test("RFC 2131 4.1: with ciaddr alone to the client's port 68", () => {
    const one = server();
    const ciaddr = one.lease();
    expect(one.take(request("request", { ciaddr })).to).toEqual({ address: ciaddr, port: 68 });
    expect(one.take(request("request", { ciaddr, giaddr: relay })).to).toEqual({ address: relay, port: 67 });
  });
  test("RFC 2131 4.1: to everybody with the broadcast flag, and without it too, never to 0.0.0.0", () => {
    for (const flags of [0, 0x8000]) {
      expect(server().take(request("discover", { flags })).to).toEqual(everybody);
    }
  });
  test("RFC 2131 4.1: a NAK without giaddr goes to everybody, also when the client gave an address", () => {
    const one = server();
    one.lease({ mac: other });
    const { reply, to } = one.take(request("request", { ciaddr: "10.77.0.10" }));
    expect([typeOf(reply), to]).toEqual([MESSAGE_TYPE.nak, everybody]);
  });
  test("RFC 2131 4.3.2: a NAK through a relay has the broadcast bit set for it", () => {
    const fields = { giaddr: relay, flags: 0, options: [requested("192.168.9.9")] };
    const { reply, to } = server().take(request("request", fields));
    expect([reply?.flags, reply?.giaddr, to]).toEqual([0x8000, relay, { address: relay, port: 67 }]);
  });
  test("RFC 2131 4.3.5: the answer to an INFORM goes to ciaddr, also past a relay", () => {
    for (const giaddr of ["0.0.0.0", relay]) {
      const { to } = server().take(request("inform", { ciaddr: "10.77.0.77", giaddr }));
      expect(to).toEqual({ address: "10.77.0.77", port: 68 });
    }
  });
  test("a ciaddr of another network may be forged and is not sent to", () => {
    expect(server().take(request("discover", { ciaddr: "8.8.8.8" })).to).toEqual(everybody);
    expect(server().take(request("request", { ciaddr: "8.8.8.8" })).to).toEqual(everybody);
    expect(server().take(request("inform", { ciaddr: "8.8.8.8" })).actions).toEqual([]);
  });
  test("RFC 2131 4.3.1: the pool is that of the relay's network; a relay of another one is reported once a minute", () => {
    const one = server();
    expect(one.take(request("discover", { giaddr: relay })).reply?.yiaddr).toBe("10.77.0.10");
    const foreign = () => one.take(request("discover", { giaddr: "10.99.0.9" }));
    expect(foreign().events).toMatchObject([{ code: "relay-unknown" }]);
    for (let round = 0; round < 100; round++) expect(foreign().actions).toEqual([]);
    expect(one.take(request("discover", { giaddr: "10.99.0.8" })).events).toHaveLength(1);
    one.wait(60_001);
    expect(foreign().events).toMatchObject([{ code: "relay-unknown" }]);
  });
});

describe("a client that takes no offer", () => {
  const warnings = (events: readonly { kind: string }[]): unknown[] =>
    events.filter(({ kind }) => kind === "warning");
  test("is told of once, others within a minute are not, and one that took the second offer never is", () => {
    const one = server();
    const ask = (mac: string) => warnings(one.take(request("discover", { mac })).events);
    expect([ask(MAC), ask(MAC)]).toEqual([[], []]);
    expect(ask(MAC)).toMatchObject([{ code: "offer-untaken", mac: MAC }]);
    for (let round = 0; round < 100; round++) expect([...ask(MAC), ...ask(other)]).toEqual([]);
    one.wait(60_001);
    expect(ask(other)).toMatchObject([{ code: "offer-untaken", mac: other }]);
    const two = server();
    for (let round = 0; round < 5; round++) {
      expect(warnings(two.take(request("discover")).events)).toEqual([]);
      two.lease();
    }
  });
});

describe("who a client is", () => {
  test("RFC 2131 4.2: option 61 where there is one: on another card it is the same client", () => {
    const one = server();
    const options = [option(61, 0, 7, 7)];
    const address = one.lease({ options });
    expect(one.lease({ mac: other, options })).toBe(address);
  });
  test("RFC 2131 4.2: otherwise the hardware address", () => {
    const one = server();
    expect(one.lease()).toBe(one.lease());
    expect(one.lease({ mac: other })).not.toBe(one.lease());
  });
  test("PXE: the ROM, iPXE and the system have one card and one address, whatever they call themselves", () => {
    const one = server();
    const rom = one.lease({ options: [...firmware(0), option(61, 0, 1, 1)] });
    expect(one.lease({ options: [...ipxe(), option(61, 0, 2, 2)] })).toBe(rom);
    expect(one.lease({ options: [option(61, 255, 3, 3)] })).toBe(rom);
    expect(one.lease()).toBe(rom);
  });
});

describe("RFC 2131 4.3.1, the choice of an address", () => {
  test("1: the current binding, though another is asked for, and without shortening it", () => {
    const one = server();
    const address = one.lease();
    one.wait(100_000);
    const { reply } = one.take(request("discover", { options: [requested("10.77.0.12")] }));
    expect(reply?.yiaddr).toBe(address);
    expect(one.leases.get(address)).toMatchObject({ state: "bound", expires: 601_000 });
  });
  test("2: the previous binding, if nobody else has it", () => {
    const one = server();
    const address = one.lease();
    one.wait(10_000_000);
    expect(one.lease({ mac: other })).not.toBe(address);
    expect(one.lease()).toBe(address);
  });
  test("3: the requested address, if it is free and in the pool", () => {
    const one = server();
    const ask = (address: string, mac = MAC) =>
      one.take(request("discover", { mac, options: [requested(address)] })).reply?.yiaddr;
    expect(ask("10.77.0.12")).toBe("10.77.0.12");
    expect(ask("10.77.0.12", other)).toBe("10.77.0.10");
    expect(ask("10.77.0.200", "52:54:00:00:00:03")).toBe("10.77.0.11");
  });
  test("3: never the server's own address, however it is asked for", () => {
    const space = { ...CONFIG.space, pool: { first: SERVER, last: "10.77.0.3" } };
    const one = server({ ...CONFIG, space });
    expect(one.take(request("discover", { options: [requested(SERVER)] })).reply?.yiaddr).toBe("10.77.0.2");
    const fields = { mac: other, options: [requested(SERVER), serverId(SERVER)] };
    expect(typeOf(one.take(request("request", fields)).reply)).toBe(MESSAGE_TYPE.nak);
  });
  test("4: a new one; with none left nothing is sent, and said once a minute; others are served on", () => {
    const one = server();
    const owner = one.lease();
    one.lease({ mac: other });
    one.lease({ mac: "52:54:00:00:00:03" });
    const starve = (last: number) =>
      one.take(request("discover", { mac: `52:54:00:00:01:${last.toString(16).padStart(2, "0")}` }));
    expect(starve(1)).toMatchObject({ reply: undefined, events: [{}, { code: "pool-exhausted" }] });
    for (let last = 2; last < 200; last++) expect(starve(last).events).toMatchObject([{ kind: "discover" }]);
    expect(one.take(request("request", { ciaddr: owner })).reply?.yiaddr).toBe(owner);
  });
  test("a flood of DISCOVERs ties addresses up for ten seconds and takes none from those who have one", () => {
    const one = server();
    const owner = one.lease();
    for (let last = 16; last < 256; last++) {
      one.take(request("discover", { mac: `52:54:00:00:01:${last.toString(16)}` }));
    }
    expect(one.take(request("discover", { mac: other })).reply).toBeUndefined();
    expect(one.take(request("discover")).reply?.yiaddr).toBe(owner);
    one.wait(10_001);
    expect(one.take(request("discover", { mac: other })).reply?.yiaddr).toBe("10.77.0.11");
  });
});

describe("RFC 2131 4.3.2, REQUEST", () => {
  test("SELECTING: 54 is ours: ACK, and the lease is recorded before it goes out", () => {
    const one = server();
    const address = one.take(request("discover")).reply?.yiaddr ?? "";
    const { actions, records } = one.take(
      request("request", { options: [requested(address), serverId(SERVER)] }),
    );
    expect(actions.map(({ kind }) => kind)).toEqual(["record", "send", "report"]);
    expect(records).toEqual([{ address, mac: MAC, boot: false, state: "bound", expires: 601_000 }]);
  });
  test("SELECTING: 54 is another's: silence, and our offer is free again", () => {
    const one = server();
    one.take(request("discover"));
    expect(
      one.take(request("request", { options: [requested("10.77.0.10"), serverId("10.77.0.2")] })).actions,
    ).toEqual([]);
    expect(one.lease({ mac: other, options: [requested("10.77.0.10")] })).toBe("10.77.0.10");
  });
  test("SELECTING: another server chosen does not end a lease that is in force", () => {
    const one = server();
    const address = one.lease();
    one.take(request("request", { options: [requested(address), serverId("10.77.0.2")] }));
    expect(one.leases.get(address)?.state).toBe("bound");
  });
  test("SELECTING: an offer that ran out and went to another: NAK", () => {
    const one = server();
    for (const last of [1, 2, 3]) one.take(request("discover", { mac: `52:54:00:00:00:0${last}` }));
    one.wait(10_001);
    one.lease({ mac: "52:54:00:00:00:04" });
    const options = [requested("10.77.0.10"), serverId(SERVER)];
    const { reply } = one.take(request("request", { mac: "52:54:00:00:00:01", options }));
    expect(typeOf(reply)).toBe(MESSAGE_TYPE.nak);
  });
  test("INIT-REBOOT: the right address: ACK; another than its own or one of another network: NAK", () => {
    const one = server();
    const address = one.lease();
    const ask = (wanted: string) =>
      typeOf(one.take(request("request", { options: [requested(wanted)] })).reply);
    expect([address, "10.77.0.12", "192.168.9.9"].map((wanted) => ask(wanted))).toEqual([5, 6, 6]);
  });
  test("INIT-REBOOT: a client that is not known: silence", () => {
    expect(server().take(request("request", { options: [requested("10.77.0.10")] })).actions).toEqual([]);
  });
  test("RENEWING and REBINDING: ciaddr, no 54 and no 50: ACK, and the lease begins anew", () => {
    const one = server();
    const ciaddr = one.lease();
    for (const flags of [0, 0x8000]) {
      one.wait(200_000);
      const { reply, records } = one.take(request("request", { ciaddr, flags }));
      expect([typeOf(reply), reply?.yiaddr]).toEqual([MESSAGE_TYPE.ack, ciaddr]);
      expect(records[0]?.expires).toBe(one.wait(0) + 600_000);
    }
  });
  test("RENEWING: an address that another has by now: NAK", () => {
    const one = server();
    one.lease({ mac: other });
    expect(typeOf(one.take(request("request", { ciaddr: "10.77.0.10" })).reply)).toBe(MESSAGE_TYPE.nak);
  });
  test("RENEWING: an address in use that we know nothing of, and nobody else has: ACK, for we may have forgotten", () => {
    const { reply } = server().take(request("request", { ciaddr: "10.77.0.11" }));
    expect([typeOf(reply), reply?.yiaddr]).toEqual([MESSAGE_TYPE.ack, "10.77.0.11"]);
  });
  test("a REQUEST that names no address is not answered", () => {
    expect(server().take(request("request")).actions).toEqual([]);
  });
  test("leases of an earlier run count: renewed, confirmed, and given to nobody else", () => {
    const kept = { address: "10.77.0.10", mac: MAC, state: "bound", expires: 90_000, boot: false } as const;
    const again = server(CONFIG, [kept]);
    expect(again.lease({ mac: other })).toBe("10.77.0.11");
    expect(typeOf(again.take(request("request", { options: [requested("10.77.0.10")] })).reply)).toBe(5);
  });
});

describe("RFC 2131 4.3.3 to 4.3.5", () => {
  test("4.3.3: a declined address is reported, recorded, and given to nobody for ten minutes", () => {
    const one = server();
    const address = one.lease();
    const { reply, events, records } = one.take(
      request("decline", { options: [requested(address), serverId(SERVER)] }),
    );
    expect([reply, events]).toEqual([undefined, [{ kind: "decline", mac: MAC, address }]]);
    expect(records).toMatchObject([{ address, state: "declined", expires: 601_000 }]);
    const fields = { mac: other, options: [requested(address)] };
    expect(one.take(request("discover", fields)).reply?.yiaddr).toBe("10.77.0.11");
    one.wait(600_001);
    expect(one.take(request("discover", { ...fields, mac: "52:54:00:00:00:05" })).reply?.yiaddr).toBe(
      address,
    );
  });
  test("4.3.3: a DECLINE of another's address, or to another server, changes nothing", () => {
    const one = server();
    const address = one.lease();
    const decline = (mac: string, to: string) =>
      one.take(request("decline", { mac, options: [requested(address), serverId(to)] })).actions;
    expect([decline(other, SERVER), decline(MAC, "10.77.0.2")]).toEqual([[], []]);
    expect(one.leases.get(address)?.state).toBe("bound");
  });
  test("4.3.4: a RELEASE frees the address and remembers whose it was; it is recorded and not answered", () => {
    const one = server();
    const address = one.lease();
    const { reply, records } = one.take(request("release", { ciaddr: address, options: [serverId(SERVER)] }));
    expect([reply, records]).toMatchObject([undefined, [{ address, mac: MAC, state: "released" }]]);
    expect(one.lease({ mac: other })).toBe("10.77.0.11");
    expect(one.lease()).toBe(address);
  });
  test("4.3.4: a RELEASE of another's address, or to another server, changes nothing", () => {
    const one = server();
    const ciaddr = one.lease();
    const release = (mac: string, to: string) =>
      one.take(request("release", { mac, ciaddr, options: [serverId(to)] })).actions;
    expect([release(other, SERVER), release(MAC, "10.77.0.2")]).toEqual([[], []]);
    expect(one.leases.get(ciaddr)?.state).toBe("bound");
  });
  test("4.3.5: an INFORM gets the parameters: no yiaddr, no times, nothing leased", () => {
    const one = server();
    const { reply, records } = one.take(request("inform", { ciaddr: "10.77.0.77" }));
    expect([typeOf(reply), reply?.yiaddr, reply?.ciaddr]).toEqual([5, "0.0.0.0", "10.77.0.77"]);
    expect(codes(reply)).toEqual([53, 54, 1, 28]);
    expect([records, one.leases.size]).toEqual([[], 0]);
  });
});

describe("PXE (RFC 4578), UEFI HTTP boot, iPXE", () => {
  const offer = (options: Parameters<typeof request>[1]) => server().take(request("discover", options)).reply;
  test("RFC 4578 2.3: the client's 97 is echoed in every reply, also a broken one", () => {
    expect(offer({ options: firmware(7) })?.options.get(97)?.length).toBe(17);
    const broken = [...firmware(7).filter(([code]) => code !== 97), option(97, 0, 1)];
    expect(offer({ options: broken })?.options.get(97)).toEqual(Uint8Array.of(0, 1));
  });
  test("RFC 4578 2.1: 7 and 9 both mean x64, as practice and the erratum have it; their file is the same", () => {
    expect([7, 9].map((arch) => offer({ options: firmware(arch) })?.file)).toEqual([
      "snponly.efi",
      "snponly.efi",
    ]);
  });
  test("PXE 2.1: the file field ends with a NUL, and 67 is not sent beside it", () => {
    const { bytes, read } = onWire(offer({ options: firmware(0) }));
    expect([read.file, bytes[108 + read.file.length]]).toEqual(["undionly.kpxe", 0]);
    expect(codes(read)).not.toContain(67);
  });
  test("a name too long for the field goes into 67, with a NUL and not last (old Intel ROMs read on into 255)", () => {
    const bios = `${"b".repeat(140)}.kpxe`;
    const config = { ...CONFIG, site: { ...CONFIG.site, binaries: { bios } } };
    const { reply } = server(config).take(request("discover", { options: firmware(0) }));
    expect(reply?.file).toBe("");
    expect(reply?.options.get(67)).toEqual(textBytes(`${bios}\0`));
    expect(codes(reply).at(-1)).not.toBe(67);
  });
  test("UEFI 24.7: an HTTPClient gets 60 = HTTPClient and its URL in 67 and in the file field", () => {
    const reply = offer({ options: firmware(16, "HTTPClient:Arch:00016:UNDI:003001") });
    const url = "http://10.77.0.1:8080/snponly.efi";
    expect(reply?.options.get(60)).toEqual(textBytes("HTTPClient"));
    expect([reply?.file, reply?.options.get(67)]).toEqual([url, textBytes(url)]);
  });
  test("iPXE: 175.176 when we are alone; the URL only for a build that can use it; never 43 without a file", () => {
    const able = offer({ options: ipxe() });
    expect([able?.file, able?.options.get(175)]).toEqual([
      "http://10.77.0.1:8080/boot.ipxe",
      Uint8Array.of(176, 1, 1),
    ]);
    const unable = offer({ options: ipxe([21]) });
    expect([unable?.file, unable?.options.has(43)]).toEqual(["undionly.kpxe", false]);
  });
  test("a client that asks for no boot file gets none", () => {
    const reply = offer({ options: [option(55, 66, 67)] });
    expect([reply?.file, reply?.siaddr, codes(reply).includes(67)]).toEqual(["", "0.0.0.0", false]);
  });
});
