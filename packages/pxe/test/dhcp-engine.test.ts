import { describe, expect, test } from "vitest";
import { DHCP_OPTION, textBytes } from "../src/index.ts";
import { CONFIG, server, SERVER } from "./dhcp-lab.ts";
import { engineFuzz } from "./fuzz-dhcp/engines.ts";
import { firmware, ipxe, MAC, request, requested, serverId } from "./packets.ts";

describe("the choice of an address (RFC 2131 4.3.1)", () => {
  test("a fixed address comes before everything", () => {
    const space = { ...CONFIG.space, fixed: new Map([[MAC, "10.77.0.99"]]) };
    expect(server({ ...CONFIG, space }).lease()).toBe("10.77.0.99");
  });
  test("nobody else gets a fixed address that lies in the pool", () => {
    const space = { ...CONFIG.space, fixed: new Map([["52:54:00:00:00:0f", "10.77.0.10"]]) };
    expect(server({ ...CONFIG, space }).lease()).toBe("10.77.0.11");
  });
  test("an offer is kept for ten seconds, then recycled", () => {
    const one = server();
    for (const last of ["1", "2", "3"]) one.take(request("discover", { mac: `52:54:00:00:00:0${last}` }));
    const late = () => one.take(request("discover", { mac: "52:54:00:00:00:04" }));
    expect(late().events).toContainEqual(expect.objectContaining({ code: "pool-exhausted" }));
    one.wait(10_001);
    expect(late().reply?.yiaddr).toBe("10.77.0.10");
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

test("30,000 damaged packets of real clients through both engines: no exception, every reply sound, bounded memory", () => {
  const fuzz = engineFuzz();
  console.log(`DHCP engine fuzz: FUZZ_SEED=${fuzz.seed}`);
  fuzz.run(30_000);
  const { parsed, replies, records, refused } = fuzz.counts;
  // The damage must reach past the first checks, else this proves nothing.
  expect(parsed).toBeGreaterThan(15_000);
  expect(replies).toBeGreaterThan(4000);
  expect(records).toBeGreaterThan(200);
  expect(refused).toBeLessThan(replies / 10);
  const [leases, stages, complaints, untaken] = fuzz.held();
  const bounded = [leases <= 110, stages <= 4096, complaints <= 256, untaken <= 256];
  expect(bounded).toEqual([true, true, true, true]);
});
