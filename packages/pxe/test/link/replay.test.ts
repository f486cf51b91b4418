/** What real machines sent on their cable, given to the station again: see lab/link-captures.ts. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseEthernet } from "../../src/link/ethernet.ts";
import { parseIpv4Packet, type Ipv4Packet } from "../../src/link/ipv4.ts";
import { EMPTY_STATION, stepStation } from "../../src/link/station-engine.ts";
import { acceptTcp, stepTcp } from "../../src/link/tcp-engine.ts";
import { parseTcp, TCP_FLAG, type TcpSegment } from "../../src/link/tcp-segment.ts";
import { parseUdp } from "../../src/link/udp-datagram.ts";
import { OWN, OWN_MAC } from "./packets.ts";

const config = { mac: OWN_MAC, address: OWN, netmask: Uint8Array.of(255, 255, 255, 0) };
const directory = new URL("../fixtures/link/", import.meta.url);
const ARP = 0x0806;
const IPV6 = 0x86dd;

interface Line {
  readonly inward: boolean;
  readonly frame: Uint8Array;
}

function readLines(name: string): readonly Line[] {
  return readFileSync(new URL(name, directory), "utf8")
    .split("\n")
    .filter((line) => /^[<>] /.test(line))
    .map((line) => ({ inward: line.startsWith(">"), frame: Buffer.from(line.slice(2), "hex") }));
}

/** What the station says by itself, and what it hands on. */
function replay(lines: readonly Line[]): { said: string[]; taken: Ipv4Packet[] } {
  let state = EMPTY_STATION;
  const said: string[] = [];
  const taken: Ipv4Packet[] = [];
  for (const { inward, frame } of lines) {
    if (!inward) continue;
    const outcome = stepStation(config, state, { kind: "frame", bytes: frame }, 0);
    ({ state } = outcome);
    for (const action of outcome.actions) {
      if (action.kind === "frame") said.push(Buffer.from(action.bytes).toString("hex"));
      if (action.kind === "packet") taken.push(action.packet);
    }
  }
  return { said, taken };
}

describe.each(readdirSync(directory))("%s", (name) => {
  const lines = readLines(name);
  const { said, taken } = replay(lines);

  test("ARP and router advertisements are answered byte for byte as they were", () => {
    const before = lines
      .filter(({ inward, frame }) => !inward && [ARP, IPV6].includes(parseEthernet(frame)?.type ?? 0))
      .map(({ frame }) => Buffer.from(frame).toString("hex"));
    expect(said).toEqual(before);
    expect(said.length).toBeGreaterThan(1);
  });

  test("each datagram and segment is read, its checksums are right", () => {
    const udp = taken.filter(({ protocol }) => protocol === 17).map(parseUdp);
    const tcp = taken.filter(({ protocol }) => protocol === 6).map(parseTcp);
    expect([...udp, ...tcp]).not.toContain(undefined);
    expect(udp.filter((datagram) => datagram?.destinationPort === 67).length).toBeGreaterThan(1);
    expect(tcp.length).toBeGreaterThan(1);
  });

  test("its TCP opens a connection and asks for the script", () => {
    const segments = taken
      .filter(({ protocol }) => protocol === 6)
      .map((packet) => parseTcp(packet) as TcpSegment);
    const answers = lines
      .filter(({ inward }) => !inward)
      .map(({ frame }) => parseIpv4Packet(parseEthernet(frame)?.payload ?? new Uint8Array(0)))
      .map((packet) => (packet?.protocol === 6 ? parseTcp(packet) : undefined));
    const [syn] = segments;
    const synAck = answers.find((segment) => segment?.flags === (TCP_FLAG.syn | TCP_FLAG.ack));
    if (!syn || !synAck) throw new Error("no handshake in the capture");
    expect(syn).toMatchObject({ flags: TCP_FLAG.syn, mss: 1460 });
    const first = acceptTcp(syn, synAck.seq, 0);
    expect(first.actions).toMatchObject([{ kind: "send", header: { seq: synAck.seq, ack: synAck.ack } }]);
    let { state } = first;
    let text = "";
    for (const segment of segments.slice(1)) {
      if (segment.sourcePort !== syn.sourcePort) break;
      const outcome = stepTcp(state, { kind: "segment", segment }, 0);
      ({ state } = outcome);
      for (const action of outcome.actions)
        if (action.kind === "deliver") text += Buffer.from(action.bytes).toString("latin1");
    }
    expect(state.phase).toBe("open");
    expect(text).toMatch(/^GET \/boot\.ipxe HTTP\/1\.1\r\n[^]*\r\n\r\n$/);
  });
});
