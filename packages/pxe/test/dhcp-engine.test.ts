import { describe, expect, test } from "vitest";
import {
  addressOption,
  DHCP_OPTION,
  dhcpState,
  encodeDhcp,
  MESSAGE_TYPE,
  messageType,
  parseDhcp,
  stepDhcp,
  textBytes,
  type DhcpMessage,
} from "../src/index.ts";
import { CONFIG, server, SERVER } from "./dhcp-lab.ts";
import { mutator } from "./fuzz.ts";
import { firmware, ipxe, MAC, request, requested, serverId } from "./packets.ts";

describe("replies (RFC 2131 table 3)", () => {
  const clientId = [DHCP_OPTION.clientId, Uint8Array.of(255, 1, 2, 3)] as const;
  const offer = server().take(
    request("discover", { giaddr: "10.77.0.9", options: [clientId, requested("10.77.0.11")] }),
  );
  const reply = offer.reply as DhcpMessage;
  test("op 2; htype, xid, flags, giaddr, chaddr copied; secs and hops 0", () => {
    const { op, htype, xid, flags, giaddr, secs, hops } = reply;
    expect({ op, htype, xid, flags, giaddr, secs, hops }).toEqual({
      op: 2,
      htype: 1,
      xid: 0xdead_beef,
      flags: 0x8000,
      giaddr: "10.77.0.9",
      secs: 0,
      hops: 0,
    });
    expect(Buffer.from(reply.chaddr).toString("hex")).toBe(MAC.replaceAll(":", ""));
  });
  test("an offer carries 54, 51 and 1, and the client's 61 (RFC 6842), never 50, 55 or 57", () => {
    expect(addressOption(reply, 54)).toBe(SERVER);
    expect(Buffer.from(reply.options.get(51) ?? []).readUInt32BE()).toBe(600);
    expect(addressOption(reply, 1)).toBe("255.255.255.0");
    expect(reply.options.get(61)).toEqual(clientId[1]);
    for (const code of [50, 55, 57]) expect(reply.options.has(code)).toBe(false);
  });
  test("the message type comes first", () => expect([...reply.options.keys()][0]).toBe(53));
  test("T1 is a half and T2 seven eighths of the lease", () => {
    expect(Buffer.from(reply.options.get(58) ?? []).readUInt32BE()).toBe(300);
    expect(Buffer.from(reply.options.get(59) ?? []).readUInt32BE()).toBe(525);
  });
  test("parameters come in the order of option 55", () => {
    const list = [DHCP_OPTION.parameterList, Uint8Array.of(28, 1)] as const;
    const keys = [
      ...(server()
        .take(request("discover", { options: [list] }))
        .reply?.options.keys() ?? []),
    ];
    expect(keys.indexOf(28)).toBeLessThan(keys.indexOf(1));
  });
  test("the client's option 57 bounds the reply, at least 576", () => {
    const size = (value: number) =>
      [DHCP_OPTION.maxMessageSize, Uint8Array.of(value >> 8, value & 255)] as const;
    expect(server().take(request("discover", { options: [size(1260)] })).maxBytes).toBe(1260);
    expect(server().take(request("discover", { options: [size(100)] })).maxBytes).toBe(576);
  });
});

describe("where replies go (RFC 2131 4.1)", () => {
  test("with giaddr to the relay's port 67", () => {
    const { to } = server().take(request("discover", { giaddr: "10.77.0.9" }));
    expect(to).toEqual({ address: "10.77.0.9", port: 67 });
  });
  test("with ciaddr to the client", () => {
    const one = server();
    const ciaddr = one.lease();
    expect(one.take(request("request", { ciaddr })).to).toEqual({ address: ciaddr, port: 68 });
  });
  test("otherwise to everybody, also without the broadcast flag", () => {
    const { to } = server().take(request("discover", { flags: 0 }));
    expect(to).toEqual({ address: "255.255.255.255", port: 68 });
  });
  test("a relay of another network is not answered but reported", () => {
    const { reply, events } = server().take(request("discover", { giaddr: "10.99.0.9" }));
    expect([reply, events[0]]).toEqual([undefined, expect.objectContaining({ code: "relay-unknown" })]);
  });
});

describe("REQUEST (RFC 2131 4.3.2)", () => {
  test("SELECTING us: ACK with the offered address; ciaddr copied", () =>
    expect(server().lease()).toBe("10.77.0.10"));
  test("SELECTING another server: silence, and the offer is void", () => {
    const one = server();
    one.take(request("discover"));
    const options = [requested("10.77.0.10"), serverId("10.77.0.2")];
    expect(one.take(request("request", { options })).reply).toBeUndefined();
    // Nobody else would be given .10 while .11 has never been leased; but who asks for it gets it.
    expect(one.lease({ mac: "52:54:00:00:00:02", options: [requested("10.77.0.10")] })).toBe("10.77.0.10");
  });
  test("SELECTING an address that is another's: NAK", () => {
    const one = server();
    one.lease();
    const options = [requested("10.77.0.10"), serverId(SERVER)];
    const { reply, to } = one.take(request("request", { mac: "52:54:00:00:00:02", options }));
    expect(reply && messageType(reply)).toBe(MESSAGE_TYPE.nak);
    expect([reply?.yiaddr, reply?.siaddr, to?.address]).toEqual(["0.0.0.0", "0.0.0.0", "255.255.255.255"]);
    expect(reply?.options.has(51)).toBe(false);
  });
  test("INIT-REBOOT on the wrong network: NAK", () => {
    const { reply } = server().take(request("request", { options: [requested("192.168.1.5")] }));
    expect(reply && messageType(reply)).toBe(MESSAGE_TYPE.nak);
  });
  test("a NAK through a relay sets the broadcast bit", () => {
    const fields = { giaddr: "10.77.0.9", flags: 0, options: [requested("192.168.1.5")] };
    const { reply, to } = server().take(request("request", fields));
    expect([reply?.flags, to]).toEqual([0x8000, { address: "10.77.0.9", port: 67 }]);
  });
  test("INIT-REBOOT of an unknown client: silence", () => {
    expect(server().take(request("request", { options: [requested("10.77.0.10")] })).reply).toBeUndefined();
  });
  test("INIT-REBOOT of a known client: ACK, or NAK for another address than its own", () => {
    const one = server();
    one.lease();
    const ask = (address: string) => one.take(request("request", { options: [requested(address)] })).reply;
    expect(messageType(ask("10.77.0.10") as DhcpMessage)).toBe(MESSAGE_TYPE.ack);
    expect(messageType(ask("10.77.0.11") as DhcpMessage)).toBe(MESSAGE_TYPE.nak);
  });
  test("RENEWING prolongs the lease", () => {
    const one = server();
    const ciaddr = one.lease();
    one.wait(300_000);
    expect(one.take(request("request", { ciaddr })).reply?.ciaddr).toBe(ciaddr);
    expect(one.leases.get(ciaddr)?.expires).toBe(1000 + 300_000 + 600_000);
  });
  test("a restarted server takes over an address in use that nobody else has", () => {
    const { reply } = server().take(request("request", { ciaddr: "10.77.0.11" }));
    expect([reply && messageType(reply), reply?.yiaddr]).toEqual([MESSAGE_TYPE.ack, "10.77.0.11"]);
  });
});

describe("DECLINE, RELEASE, INFORM", () => {
  test("a declined address stays out of the pool for ten minutes and is reported", () => {
    const one = server();
    const address = one.lease();
    const { reply, events } = one.take(
      request("decline", { options: [requested(address), serverId(SERVER)] }),
    );
    expect([reply, events]).toEqual([undefined, [{ kind: "decline", mac: MAC, address }]]);
    expect(one.lease()).toBe("10.77.0.11");
    one.wait(601_000);
    expect(one.lease({ mac: "52:54:00:00:00:03" })).toBe("10.77.0.12");
    expect(one.lease({ mac: "52:54:00:00:00:04" })).toBe("10.77.0.10");
  });
  test("nobody can decline another's address", () => {
    const one = server();
    const options = [requested(one.lease()), serverId(SERVER)];
    one.take(request("decline", { mac: "52:54:00:00:00:09", options }));
    expect(one.leases.get("10.77.0.10")?.state).toBe("bound");
  });
  test("a released address is remembered and given back to its client", () => {
    const one = server();
    const address = one.lease();
    one.take(request("release", { ciaddr: address, options: [serverId(SERVER)] }));
    expect(one.lease({ mac: "52:54:00:00:00:02" })).toBe("10.77.0.11");
    expect(one.lease()).toBe(address);
  });
  test("INFORM: ACK to ciaddr without lease time, yiaddr 0", () => {
    const { reply, to } = server().take(request("inform", { ciaddr: "10.77.0.77" }));
    expect([reply?.yiaddr, reply?.options.has(51), reply?.options.has(1)]).toEqual(["0.0.0.0", false, true]);
    expect(to).toEqual({ address: "10.77.0.77", port: 68 });
  });
  test("INFORM with a foreign address is not answered: it would be a reflector", () => {
    expect(server().take(request("inform", { ciaddr: "8.8.8.8" })).reply).toBeUndefined();
  });
});

describe("the choice of an address (RFC 2131 4.3.1)", () => {
  test("a fixed address comes before everything", () => {
    const space = { ...CONFIG.space, fixed: new Map([[MAC, "10.77.0.99"]]) };
    expect(server({ ...CONFIG, space }).lease()).toBe("10.77.0.99");
  });
  test("nobody else gets a fixed address that lies in the pool", () => {
    const space = { ...CONFIG.space, fixed: new Map([["52:54:00:00:00:0f", "10.77.0.10"]]) };
    expect(server({ ...CONFIG, space }).lease()).toBe("10.77.0.11");
  });
  test("the requested one if it is free and in the pool", () => {
    expect(server().lease({ options: [requested("10.77.0.12")] })).toBe("10.77.0.12");
    expect(server().take(request("discover", { options: [requested("10.77.0.200")] })).reply?.yiaddr).toBe(
      "10.77.0.10",
    );
  });
  test("an expired lease goes back to its client first", () => {
    const one = server();
    one.lease({ mac: "52:54:00:00:00:02" });
    const own = one.lease();
    one.wait(10_000_000);
    expect(one.lease()).toBe(own);
  });
  test("an offer is kept for ten seconds, then recycled", () => {
    const one = server();
    for (const last of ["1", "2", "3"]) one.take(request("discover", { mac: `52:54:00:00:00:0${last}` }));
    const late = () => one.take(request("discover", { mac: "52:54:00:00:00:04" }));
    expect(late().events).toContainEqual(expect.objectContaining({ code: "pool-exhausted" }));
    one.wait(10_001);
    expect(late().reply?.yiaddr).toBe("10.77.0.10");
  });
  test("ROM, iPXE and system on one card keep one address though their client ids differ", () => {
    const one = server();
    const id = (byte: number) => [DHCP_OPTION.clientId, Uint8Array.of(255, byte)] as const;
    const rom = one.lease({ options: [...firmware(0), id(1)] });
    expect(one.lease({ options: [...ipxe(), id(2)] })).toBe(rom);
    expect(one.lease({ options: [id(3)] })).toBe(rom);
  });
  test("otherwise the client id tells clients on one card apart", () => {
    const one = server();
    const id = (byte: number) => [[DHCP_OPTION.clientId, Uint8Array.of(255, byte)]] as const;
    expect(one.lease({ options: id(1) })).not.toBe(one.lease({ options: id(2) }));
  });
  test("machines outside the allow list hear nothing", () => {
    const one = server({ ...CONFIG, allow: new Set(["52:54:00:00:00:01"]) });
    expect(one.take(request("discover")).reply).toBeUndefined();
  });
});

describe("boot files", () => {
  test("BIOS firmware gets undionly.kpxe by siaddr and file; 97 echoed, 60 and 43 left out", () => {
    const { reply } = server().take(request("discover", { options: firmware(0) }));
    expect([reply?.file, reply?.siaddr]).toEqual(["undionly.kpxe", SERVER]);
    expect([97, 60, 43, 175].map((code) => reply?.options.has(code))).toEqual([true, false, false, false]);
  });
  test("iPXE gets the script and is told not to wait for a proxy (175.176)", () => {
    const { reply } = server().take(request("discover", { options: ipxe() }));
    expect(reply?.file).toBe("http://10.77.0.1:8080/boot.ipxe");
    expect(reply?.options.get(175)).toEqual(Uint8Array.of(176, 1, 1));
    expect(reply?.options.has(43)).toBe(false);
  });
  test("175.176 is left out when a proxy may answer too", () => {
    const { reply } = server({ ...CONFIG, sole: false }).take(request("discover", { options: ipxe() }));
    expect(reply?.options.has(175)).toBe(false);
  });
  test("UEFI HTTP boot gets 60 = HTTPClient and the URL in 67, which is not last", () => {
    const options = firmware(16, "HTTPClient:Arch:00016:UNDI:003001");
    const { reply } = server().take(request("discover", { options }));
    expect(reply?.options.get(60)).toEqual(textBytes("HTTPClient"));
    expect(reply?.options.get(67)).toEqual(textBytes("http://10.77.0.1:8080/snponly.efi"));
    expect([...(reply?.options.keys() ?? [])].at(-1)).not.toBe(67);
  });
  test("a system's DHCP client gets none", () => {
    const { reply } = server().take(request("discover"));
    expect([reply?.file, reply?.siaddr]).toEqual(["", "0.0.0.0"]);
  });
  test("a missing boot program is reported with the package that has it", () => {
    const one = server({ ...CONFIG, site: { ...CONFIG.site, binaries: {} } });
    const offer = one.take(request("discover", { options: firmware(7) })).reply;
    expect(offer?.file).toBe("");
    const options = [...firmware(7), requested(offer?.yiaddr ?? ""), serverId(SERVER)];
    expect(one.take(request("request", { options })).events).toContainEqual(
      expect.objectContaining({
        code: "binary-missing",
        hint: expect.stringContaining("apt-get install ipxe"),
      }),
    );
  });
});

describe("loops", () => {
  const weak = ipxe([21]); // no HTTP, cannot start Linux
  const round = (one: ReturnType<typeof server>, options: Parameters<typeof request>[1], xid: number) => {
    const address = one.take(request("discover", { ...options, xid })).reply?.yiaddr ?? "";
    const all = [...(options?.options ?? []), requested(address), serverId(SERVER)];
    return one.take(request("request", { options: all, xid }));
  };
  test("iPXE that comes back from the boot program as weak as before gets a script that says so", () => {
    const one = server();
    expect(round(one, { options: weak }, 1).reply?.file).toBe("undionly.kpxe");
    const again = round(one, { options: weak }, 2);
    expect(again.reply?.file).toBe("http://10.77.0.1:8080/loop.ipxe");
    expect(again.events).toContainEqual(expect.objectContaining({ code: "loop", mac: MAC }));
  });
  test("the same script twice within a minute raises the alarm, a minute later not", () => {
    const one = server();
    round(one, { options: ipxe() }, 1);
    one.wait(59_000);
    expect(round(one, { options: ipxe() }, 2).events).toContainEqual(
      expect.objectContaining({ code: "loop" }),
    );
    one.wait(61_000);
    expect(round(one, { options: ipxe() }, 3).events).not.toContainEqual(
      expect.objectContaining({ code: "loop" }),
    );
  });
  test("a repeated packet of one exchange is no loop, nor is firmware followed by iPXE", () => {
    const one = server();
    round(one, { options: firmware(0) }, 1);
    expect(round(one, { options: ipxe() }, 2).events.map((event) => event.kind)).toEqual(["ack"]);
    expect(round(one, { options: ipxe() }, 2).events.map((event) => event.kind)).toEqual(["ack"]);
  });
});

test("30,000 mutated packets through the engine: no exception, and every reply can be encoded", () => {
  const random = mutator();
  console.log(`DHCP engine fuzz: FUZZ_SEED=${random.seed}`);
  const big = [DHCP_OPTION.maxMessageSize, Uint8Array.of(2, 64)] as const;
  const corpus = [
    ...(["discover", "request", "inform", "decline", "release"] as const).map((type) =>
      encodeDhcp(request(type, { options: [...ipxe(), requested("10.77.0.10"), serverId(SERVER), big] })),
    ),
    encodeDhcp(request("discover", { options: firmware(16, "HTTPClient") })),
    encodeDhcp(request("request", { ciaddr: "10.77.0.10" })),
  ];
  const state = dhcpState(CONFIG);
  let replies = 0;
  for (let round = 0; round < 30_000; round++) {
    const parsed = parseDhcp(random.mutate(corpus[round % corpus.length] ?? new Uint8Array()));
    if (!parsed.ok) continue;
    for (const action of stepDhcp(CONFIG, state, parsed.value, round * 10)) {
      if (action.kind !== "send") continue;
      replies++;
      // An echoed client id or UUID may be as long as the stranger likes; only that may be refused.
      try {
        encodeDhcp(action.message, { maxBytes: action.maxBytes });
      } catch (error) {
        expect((error as { code: string }).code, `FUZZ_SEED=${random.seed} round ${round}`).toBe(
          "PXE_DHCP_TOO_LARGE",
        );
      }
    }
    expect(state.leases.size).toBeLessThanOrEqual(3);
  }
  expect(replies).toBeGreaterThan(1000);
});
