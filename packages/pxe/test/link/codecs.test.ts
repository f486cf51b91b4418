import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeArp, parseArp } from "../../src/link/arp.ts";
import { foldSum, sumWords } from "../../src/link/checksum.ts";
import { encodeEthernet, parseEthernet } from "../../src/link/ethernet.ts";
import { echoReply } from "../../src/link/icmp-echo.ts";
import { encodeIpv4Packet, parseIpv4Packet, word } from "../../src/link/ipv4.ts";
import { answerNeighbour, linkLocal } from "../../src/link/neighbour-discovery.ts";
import { encodeTcp, parseTcp, TCP_FLAG } from "../../src/link/tcp-segment.ts";
import { encodeUdp, parseUdp } from "../../src/link/udp-datagram.ts";
import { mutator } from "../fuzz.ts";
import {
  echoRequest,
  routerSolicitation,
  neighbourSolicitation,
  OTHER,
  OTHER_MAC,
  OWN,
  OWN_MAC,
} from "./packets.ts";

/** FUZZ_ROUNDS makes a long run of it. */
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 1);

const run = promisify(execFile);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-codecs-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** What tcpdump says of a frame, checksums included. */
async function tcpdump(frame: Uint8Array): Promise<string> {
  const path = join(directory, "one.pcap");
  const header = Buffer.alloc(40);
  header.writeUInt32LE(0xa1b2_c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(frame.length, 32);
  header.writeUInt32LE(frame.length, 36);
  await writeFile(path, Buffer.concat([header, frame]));
  return (await run("tcpdump", ["-r", path, "-n", "-e", "-vvv", "-t"])).stdout;
}

const ipv4Frame = (payload: Uint8Array): Uint8Array =>
  encodeEthernet({ to: OTHER_MAC, from: OWN_MAC, type: 0x0800, payload });

describe("what is written is what tcpdump reads", () => {
  test("ARP", async () => {
    const message = {
      operation: "reply",
      senderMac: OWN_MAC,
      sender: OWN,
      targetMac: OTHER_MAC,
      target: OTHER,
    } as const;
    const payload = encodeArp(message);
    expect(parseArp(payload)).toEqual(message);
    const text = await tcpdump(encodeEthernet({ to: OTHER_MAC, from: OWN_MAC, type: 0x0806, payload }));
    expect(text).toContain("52:55:0a:4d:00:01 > 52:54:00:12:34:56, ethertype ARP");
    expect(text).toContain("Reply 10.77.0.1 is-at 52:55:0a:4d:00:01");
  });
  test.each([0, 1, 7, 1472])("UDP with %i bytes", async (size) => {
    const datagram = {
      sourcePort: 69,
      destinationPort: 2070,
      data: Uint8Array.from({ length: size }, (_, index) => index * 7),
    };
    const packet = encodeUdp(OWN, OTHER, datagram);
    const bytes = encodeIpv4Packet(packet);
    const parsed = parseIpv4Packet(bytes);
    expect(parsed && parseUdp(parsed)).toEqual(datagram);
    const text = await tcpdump(ipv4Frame(bytes));
    expect(text).toContain("flags [DF], proto UDP (17)");
    expect(text).toMatch(/10\.77\.0\.1\.(69|tftp) > 10\.77\.0\.9\.2070: \[udp sum ok\]/);
    expect(text).not.toContain("bad cksum");
  });
  test.each([0, 1, 1460])("TCP with %i bytes", async (size) => {
    const header = {
      sourcePort: 80,
      destinationPort: 40_000,
      seq: 0xffff_fff0,
      ack: 0x8000_0001,
      flags: TCP_FLAG.ack | TCP_FLAG.psh,
      window: 65_535,
    };
    const data = Uint8Array.from({ length: size }, (_, index) => index * 3);
    const packet = encodeTcp(OWN, OTHER, header, [data.subarray(0, 1), data.subarray(1)]);
    const bytes = encodeIpv4Packet(packet);
    const parsed = parseIpv4Packet(bytes);
    expect(parsed && parseTcp(parsed)).toEqual({ ...header, data });
    const text = await tcpdump(ipv4Frame(bytes));
    expect(text).toMatch(/cksum 0x[0-9a-f]{4} \(correct\)/);
    expect(text).toContain(`ack 2147483649, win 65535, length ${size}`);
  });
  test("a SYN's options, and foreign ones among them", async () => {
    const header = {
      sourcePort: 80,
      destinationPort: 40_000,
      seq: 1,
      ack: 2,
      flags: TCP_FLAG.syn | TCP_FLAG.ack,
      window: 65_535,
      mss: 1460,
      scale: 0,
    };
    const packet = encodeTcp(OWN, OTHER, header);
    expect(parseTcp(packet)).toMatchObject({ mss: 1460, scale: 0 });
    expect(await tcpdump(ipv4Frame(encodeIpv4Packet(packet)))).toContain("options [mss 1460,nop,wscale 0]");
    // SACK permitted and a time stamp before the scale, as Linux sends them; then a length that lies.
    const options = [2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 20, 5, 99, 0, 0];
    const payload = new Uint8Array([...packet.payload.subarray(0, 20), ...options]);
    payload[12] = (payload.length / 4) << 4;
    payload.set([0, 0], 16);
    const sum = sumWords(payload, sumWords(OTHER, sumWords(OWN)) + 6 + payload.length);
    const check = foldSum(sum);
    payload.set([check >> 8, check & 255], 16);
    expect(parseTcp({ ...packet, payload })).toMatchObject({ mss: 1460, scale: 14 });
  });
  test("an echo's answer", async () => {
    const request = parseIpv4Packet(echoRequest("hello, ping"));
    const reply = request && echoReply(request);
    expect(reply).toBeDefined();
    if (!reply) return;
    const text = await tcpdump(ipv4Frame(encodeIpv4Packet(reply)));
    expect(text).toContain("10.77.0.1 > 10.77.0.9: ICMP echo reply, id 1, seq 1");
    expect(text).not.toContain("wrong icmp cksum");
  });
  test("a router that is none, and who has our address", async () => {
    const advertised = answerNeighbour(routerSolicitation(), OTHER_MAC, OWN_MAC);
    expect(advertised?.toMac).toEqual(Uint8Array.of(0x33, 0x33, 0, 0, 0, 1));
    const frame = (payload: Uint8Array): Uint8Array =>
      encodeEthernet({ to: OTHER_MAC, from: OWN_MAC, type: 0x86dd, payload });
    const text = await tcpdump(frame(advertised?.packet ?? new Uint8Array(0)));
    expect(text).toMatch(
      /fe80::5055:aff:fe4d:1 > ff02::1: \[icmp6 sum ok\] ICMP6, router advertisement, length 16/,
    );
    expect(text).toContain("router lifetime 0s");
    const known = answerNeighbour(neighbourSolicitation(linkLocal(OWN_MAC)), OTHER_MAC, OWN_MAC);
    expect(await tcpdump(frame(known?.packet ?? new Uint8Array(0)))).toMatch(
      /\[icmp6 sum ok\] ICMP6, neighbor advertisement, length 32, tgt is fe80::5055:aff:fe4d:1, Flags \[solicited, override\]/,
    );
    expect(answerNeighbour(neighbourSolicitation(linkLocal(OTHER_MAC)), OTHER_MAC, OWN_MAC)).toBeUndefined();
  });
});

describe("what is damaged is nothing", () => {
  const udp = encodeUdp(OTHER, OWN, { sourcePort: 1, destinationPort: 2, data: Uint8Array.of(1, 2, 3) });
  const good = encodeIpv4Packet(udp);
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  const resummed = (bytes: Uint8Array): Uint8Array => {
    bytes.set([0, 0], 10);
    const sum = foldSum(sumWords(bytes.subarray(0, 20)));
    bytes.set([sum >> 8, sum & 255], 10);
    return bytes;
  };
  test("each single bit of an IPv4 header, and of a datagram", () => {
    expect(parseIpv4Packet(good)).toBeDefined();
    for (let bit = 0; bit < 20 * 8; bit++) {
      const bytes = changed(bit >> 3, (good[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
      expect(parseIpv4Packet(bytes), `bit ${bit}`).toBeUndefined();
    }
    for (let bit = 0; bit < udp.payload.length * 8; bit++) {
      const payload = udp.payload.slice();
      payload[bit >> 3] = (payload[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(parseUdp({ ...udp, payload }), `bit ${bit}`).toBeUndefined();
    }
  });
  test("fragments, first and last", () => {
    expect(parseIpv4Packet(resummed(changed(6, 0x20)))).toBeUndefined();
    expect(parseIpv4Packet(resummed(changed(7, 1)))).toBeUndefined();
  });
  test("a group as the sender; lengths beyond the end", () => {
    expect(parseIpv4Packet(resummed(changed(12, 224)))).toBeUndefined();
    expect(parseIpv4Packet(resummed(changed(3, good.length + 1)))).toBeUndefined();
    expect(parseIpv4Packet(resummed(changed(3, 19)))).toBeUndefined();
    expect(parseEthernet(new Uint8Array(13))).toBeUndefined();
    expect(parseEthernet(Uint8Array.of(1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 8, 0))).toBeUndefined();
  });
  test("a datagram without a checksum is taken, one whose sum is zero says so in its other form", () => {
    const payload = udp.payload.slice();
    payload.set([0, 0], 6);
    expect(parseUdp({ ...udp, payload })?.data).toEqual(Uint8Array.of(1, 2, 3));
    // Among all words is one whose sum comes to zero.
    let found = 0;
    for (let value = 0; value < 65_536; value++) {
      const data = Uint8Array.of(value >> 8, value & 255);
      const packet = encodeUdp(OTHER, OWN, { sourcePort: 1, destinationPort: 2, data });
      const sum = word(packet.payload, 6);
      if (sum === 0) expect.fail(`no checksum for ${value}`);
      if (sum !== 0xffff) continue;
      found += 1;
      expect(parseUdp(packet)?.data).toEqual(data);
    }
    expect(found).toBe(1);
  });
});

test("100,000 damaged packets are read or not, and never thrown at anybody", () => {
  const fuzz = mutator();
  const header = { sourcePort: 1, destinationPort: 2, seq: 3, ack: 4, window: 5, mss: 1460, scale: 7 };
  const corpus: readonly Uint8Array[] = [
    encodeArp({ operation: "request", senderMac: OTHER_MAC, sender: OTHER, targetMac: OWN_MAC, target: OWN }),
    encodeIpv4Packet(encodeUdp(OTHER, OWN, { sourcePort: 1, destinationPort: 2, data: new Uint8Array(40) })),
    encodeIpv4Packet(encodeTcp(OTHER, OWN, { ...header, flags: TCP_FLAG.syn }, [new Uint8Array(9)])),
    echoRequest("fuzz"),
    routerSolicitation(),
    neighbourSolicitation(linkLocal(OWN_MAC)),
  ];
  let read = 0;
  for (let count = 0; count < 100_000 * ROUNDS; count++) {
    const bytes = fuzz.mutate(corpus[count % corpus.length] ?? new Uint8Array(0));
    try {
      parseEthernet(bytes);
      if (parseArp(bytes)) read += 1;
      answerNeighbour(bytes, OTHER_MAC, OWN_MAC);
      const packet = parseIpv4Packet(bytes);
      // The inner parsers also get what the outer ones would have stopped.
      for (const inner of [packet, { from: OTHER, to: OWN, protocol: 6, payload: bytes.subarray(20) }]) {
        if (!inner) continue;
        if (parseUdp(inner)) read += 1;
        if (parseTcp(inner)) read += 1;
        if (echoReply(inner)) read += 1;
      }
    } catch (error) {
      throw new Error(`seed ${fuzz.seed}, packet ${count}: ${Buffer.from(bytes).toString("hex")}`, {
        cause: error,
      });
    }
  }
  expect(read).toBeGreaterThan(1000);
});
