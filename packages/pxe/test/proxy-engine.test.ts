import { describe, expect, test } from "vitest";
import {
  addressOption,
  proxyState,
  encodeSuboptions,
  messageType,
  MESSAGE_TYPE,
  stepProxy,
  textBytes,
  type DhcpMessage,
  type ProxyConfig,
  type ProxyInput,
} from "../src/index.ts";
import { firmware, ipxe, MAC, request, requested } from "./packets.ts";

const CONFIG: ProxyConfig = {
  subnet: { address: "10.77.0.1", netmask: "255.255.255.0" },
  site: {
    address: "10.77.0.1",
    httpPort: 8080,
    tftpPort: 69,
    binaries: { bios: "undionly.kpxe", "efi-x64": "s.efi" },
  },
  allow: undefined,
  ports: { server: 67, client: 68 },
};

function answer(
  message: DhcpMessage,
  port: ProxyInput["port"] = "dhcp",
  from = { address: "0.0.0.0", port: 68 },
) {
  const actions = stepProxy(CONFIG, proxyState(), { message, port, from }, 0);
  return actions.find((action) => action.kind === "send");
}

describe("port 67", () => {
  test("DISCOVER: an offer without address, with 60, 54, siaddr, file, 43 {6:8} and 97", () => {
    const { message, to } = answer(request("discover", { options: firmware(0) })) ?? {};
    expect(message).toMatchObject({ yiaddr: "0.0.0.0", siaddr: "10.77.0.1", file: "undionly.kpxe" });
    expect(message && messageType(message)).toBe(MESSAGE_TYPE.offer);
    expect(message && addressOption(message, 54)).toBe("10.77.0.1");
    expect(message?.options.get(60)).toEqual(textBytes("PXEClient"));
    expect(message?.options.get(43)).toEqual(Uint8Array.of(6, 1, 8, 255));
    expect(message?.options.get(97)?.length).toBe(17);
    expect(message?.options.has(51)).toBe(false);
    expect(to).toEqual({ address: "255.255.255.255", port: 68 });
  });
  test("iPXE gets the script's URL, and never 175.176", () => {
    const message = answer(request("discover", { options: ipxe() }))?.message;
    expect(message?.file).toBe("http://10.77.0.1:8080/boot.ipxe");
    expect(message?.options.has(175)).toBe(false);
  });
  test("REQUEST is meant for the DHCP server: no answer, but the address is noted", () => {
    const message = request("request", { options: [...firmware(0), requested("10.77.0.50")] });
    const input = { message, port: "dhcp", from: { address: "0.0.0.0", port: 68 } } as const;
    expect(stepProxy(CONFIG, proxyState(), input, 0)).toEqual([
      { kind: "report", event: { kind: "request", mac: MAC, address: "10.77.0.50" } },
    ]);
  });
  test("UEFI HTTP boot gets 60 = HTTPClient and the URL, without 43", () => {
    const message = answer(request("discover", { options: firmware(16, "HTTPClient:Arch:00016") }))?.message;
    expect(message?.options.get(60)).toEqual(textBytes("HTTPClient"));
    expect(message?.options.get(67)).toEqual(textBytes("http://10.77.0.1:8080/s.efi"));
    expect(message?.options.has(43)).toBe(false);
  });
  test("a relay of this network gets the offer, with what it added (82) last; another relay hears nothing", () => {
    const agent = [82, Uint8Array.of(1, 2, 0, 7)] as const;
    const ask = (giaddr: string) => answer(request("discover", { giaddr, options: [...firmware(0), agent] }));
    expect(ask("10.77.0.9")?.to).toEqual({ address: "10.77.0.9", port: 67 });
    expect([...(ask("10.77.0.9")?.message.options ?? [])].at(-1)).toEqual(agent);
    expect(ask("10.99.0.9")).toBeUndefined();
  });
  test("of a REQUEST for an address elsewhere nothing is noted: strangers could fill the memory", () => {
    const message = request("request", { options: [...firmware(0), requested("1.2.3.4")] });
    const input = { message, port: "dhcp", from: { address: "0.0.0.0", port: 68 } } as const;
    expect(stepProxy(CONFIG, proxyState(), input, 0)).toEqual([]);
  });
  test("ordinary clients hear nothing", () => {
    expect(answer(request("discover"))).toBeUndefined();
  });
  test("a client without boot program is reported, not answered", () => {
    const input = {
      message: request("discover", { options: firmware(6) }),
      port: "dhcp",
      from: { address: "0.0.0.0", port: 68 },
    } as const;
    const actions = stepProxy(CONFIG, proxyState(), input, 0);
    expect(actions.map((action) => (action.kind === "report" ? action.event.kind : action.kind))).toEqual([
      "discover",
      "warning",
    ]);
  });
});

describe("port 4011", () => {
  test.each([
    ["request", 0],
    ["request", 7],
    ["inform", 9],
  ] as const)("%s of type %i: an ACK to the datagram's own source", (type, arch) => {
    const from = { address: "10.77.0.50", port: 4011 };
    const { message, to } =
      answer(request(type, { options: firmware(arch), ciaddr: from.address }), "boot", from) ?? {};
    expect(message && messageType(message)).toBe(MESSAGE_TYPE.ack);
    expect([message?.ciaddr, to]).toEqual([from.address, from]);
  });
  test("the boot item 43.71 is echoed", () => {
    const item = [43, encodeSuboptions([[71, Uint8Array.of(0, 0, 0, 0)]], { end: true })] as const;
    const from = { address: "10.77.0.50", port: 68 };
    const message = answer(request("request", { options: [...firmware(0), item] }), "boot", from)?.message;
    expect(message?.options.get(43)).toEqual(Uint8Array.of(6, 1, 8, 71, 4, 0, 0, 0, 0, 255));
  });
  test("DISCOVER there, and senders of other networks, are ignored", () => {
    const options = firmware(0);
    expect(
      answer(request("discover", { options }), "boot", { address: "10.77.0.50", port: 68 }),
    ).toBeUndefined();
    expect(answer(request("request", { options }), "boot", { address: "8.8.8.8", port: 53 })).toBeUndefined();
  });
});
