import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSwitch, type CodePort } from "@justenough/qemu/net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeDhcp, parseDhcp, servePxe, type PxeEvent, type ServePxeOptions } from "../../src/index.ts";
import { BROADCAST_MAC, encodeEthernet, parseEthernet } from "../../src/link/ethernet.ts";
import { encodeIpv4Packet, parseIpv4Packet } from "../../src/link/ipv4.ts";
import { encodeUdp, parseUdp, type UdpDatagram } from "../../src/link/udp-datagram.ts";
import { MAC, request } from "../packets.ts";
import { OTHER_MAC } from "./packets.ts";

let directory = "";
let options: ServePxeOptions;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-serve-link-"));
  const kernel = join(directory, "kernel");
  await writeFile(kernel, "k".repeat(1000));
  options = { bundle: { kernel, initrd: [], cmdline: "quiet" }, mode: "authoritative" };
});
afterAll(() => rm(directory, { recursive: true }));

const ANY = Uint8Array.of(0, 0, 0, 0);
const ALL = Uint8Array.of(255, 255, 255, 255);

/** Say something by UDP as a client without address, and wait for what comes back to its port. */
async function ask(port: CodePort, data: Uint8Array): Promise<UdpDatagram> {
  const packet = encodeUdp(ANY, ALL, { sourcePort: 68, destinationPort: 67, data });
  port.send(
    encodeEthernet({ to: BROADCAST_MAC, from: OTHER_MAC, type: 0x0800, payload: encodeIpv4Packet(packet) }),
  );
  for await (const frame of port.frames) {
    const outer = parseEthernet(frame);
    const inner = outer?.type === 0x0800 ? parseIpv4Packet(outer.payload) : undefined;
    const datagram = inner?.protocol === 17 ? parseUdp(inner) : undefined;
    if (datagram?.destinationPort === 68) return datagram;
  }
  throw new Error("The cable was pulled");
}

test("a server is a station on a virtual switch, and ends when its cable is pulled", async () => {
  using lan = createSwitch();
  const port = lan.join("server");
  const events: PxeEvent[] = [];
  const server = await servePxe({
    ...options,
    link: port,
    address: "192.168.7.1/28",
    onEvent: (event) => events.push(event),
  });
  expect(server).toMatchObject({
    interface: "link",
    address: "192.168.7.1",
    ports: { dhcp: 67, tftp: 69, http: 8080 },
  });
  expect(server.urls.script).toBe("http://192.168.7.1:8080/boot.ipxe");
  const answer = parseDhcp((await ask(lan.join("client"), encodeDhcp(request("discover")))).data);
  expect(answer).toMatchObject({
    ok: true,
    value: { op: 2, yiaddr: expect.stringMatching(/^192\.168\.7\.\d+$/) },
  });
  expect(events.map(({ kind }) => kind)).toEqual(["listening", "discover", "offer"]);
  expect(events[1]).toMatchObject({ mac: MAC });
  port.close();
  await server.closed;
});

test("two servers in this process on two cables do not disturb each other, nor this machine's ports", async () => {
  using lan = createSwitch();
  await using one = await servePxe({ ...options, link: lan.join("one"), address: "10.1.0.1" });
  await using two = await servePxe({
    ...options,
    link: lan.join("two"),
    address: "10.2.0.1/16",
    mode: "proxy",
  });
  expect(two.ports).toMatchObject({ dhcp: 67, boot: 4011, tftp: 69, http: 8080 });
  expect(one.ports).toMatchObject({ dhcp: 67, boot: undefined, tftp: 69, http: 8080 });
});

test("either an interface or a cable; an address that can be one", async () => {
  using lan = createSwitch();
  const link = lan.join("server");
  await expect(servePxe(options)).rejects.toMatchObject({ code: "PXE_USAGE" });
  await expect(servePxe({ ...options, link, interface: "lo" })).rejects.toMatchObject({ code: "PXE_USAGE" });
  for (const address of ["10.0.0.1/31", "10.0.0.1/x", "10.0.0.1/", "10.0.0.256"])
    await expect(servePxe({ ...options, link, address })).rejects.toMatchObject({
      code: "PXE_ADDRESS_INVALID",
    });
  await expect(servePxe({ ...options, link, pool: "10.9.9.1-10.9.9.9" })).rejects.toMatchObject({
    code: "PXE_POOL_INVALID",
  });
});
