import { describe, expect, test } from "vitest";
import { encodeArp, parseArp } from "../../src/link/arp.ts";
import { BROADCAST_MAC, encodeEthernet, parseEthernet } from "../../src/link/ethernet.ts";
import { encodeIpv4Packet, parseIpv4Packet } from "../../src/link/ipv4.ts";
import {
  EMPTY_STATION,
  stepStation,
  type StationAction,
  type StationEvent,
  type StationState,
} from "../../src/link/station-engine.ts";
import { encodeUdp } from "../../src/link/udp-datagram.ts";
import { mutator } from "../fuzz.ts";
import { echoRequest, OTHER, OTHER_MAC, OWN, OWN_MAC, routerSolicitation } from "./packets.ts";

/** FUZZ_ROUNDS makes a long run of it. */
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 1);

const config = { mac: OWN_MAC, address: OWN, netmask: Uint8Array.of(255, 255, 255, 0) };

function station() {
  let state: StationState = EMPTY_STATION;
  let now = 0;
  const step = (event: StationEvent): readonly StationAction[] => {
    const outcome = stepStation(config, state, event, now);
    state = outcome.state;
    return outcome.actions;
  };
  return {
    step,
    take: (type: number, payload: Uint8Array, to = OWN_MAC) =>
      step({ kind: "frame", bytes: encodeEthernet({ to, from: OTHER_MAC, type, payload }) }),
    send: (to: Uint8Array, size = 4) =>
      step({
        kind: "packet",
        packet: encodeUdp(OWN, to, { sourcePort: 69, destinationPort: 1, data: new Uint8Array(size) }),
      }),
    later(milliseconds: number) {
      now += milliseconds;
      return step({ kind: "timer" });
    },
    get state() {
      return state;
    },
  };
}

const arp = (operation: "request" | "reply", sender: Uint8Array, target: Uint8Array): Uint8Array =>
  encodeArp({ operation, senderMac: OTHER_MAC, sender, targetMac: OWN_MAC, target });

/** Frames in short: to whom, and what. */
function frames(actions: readonly StationAction[]): string[] {
  return actions.map((action) => {
    if (action.kind !== "frame") return action.kind;
    const frame = parseEthernet(action.bytes);
    const to =
      frame && (Buffer.from(frame.to).equals(BROADCAST_MAC) ? "all" : Buffer.from(frame.to).toString("hex"));
    const message = frame?.type === 0x0806 ? parseArp(frame.payload) : undefined;
    return message
      ? `${to} arp ${message.operation} ${message.target.join(".")}`
      : `${to} ${frame?.type.toString(16)}`;
  });
}

const OTHER_HEX = "525400123456";

describe("ARP", () => {
  test("who asks for us is answered and known; who asks for others is not", () => {
    const made = station();
    expect(made.take(0x0806, arp("request", OTHER, Uint8Array.of(10, 77, 0, 2)), BROADCAST_MAC)).toEqual([]);
    expect(made.state.neighbours.size).toBe(0);
    expect(frames(made.take(0x0806, arp("request", OTHER, OWN), BROADCAST_MAC))).toEqual([
      `${OTHER_HEX} arp reply 10.77.0.9`,
    ]);
    expect(frames(made.send(OTHER))).toEqual([`${OTHER_HEX} 800`]);
  });
  test("a probe for our address (RFC 5227) is answered, and teaches nothing", () => {
    const made = station();
    const probe = arp("request", new Uint8Array(4), OWN);
    expect(frames(made.take(0x0806, probe, BROADCAST_MAC))).toEqual([`${OTHER_HEX} arp reply 0.0.0.0`]);
    expect(made.state.neighbours.size).toBe(0);
  });
  test("nobody becomes us, nor a neighbour from elsewhere, nor one with a group's card", () => {
    const made = station();
    made.take(0x0806, arp("request", OWN, OWN), BROADCAST_MAC);
    made.take(0x0806, arp("request", Uint8Array.of(8, 8, 8, 8), OWN), BROADCAST_MAC);
    const message = { senderMac: BROADCAST_MAC, sender: OTHER, targetMac: OWN_MAC, target: OWN };
    made.take(0x0806, encodeArp({ operation: "request", ...message }));
    expect(made.state.neighbours.size).toBe(0);
  });
  test("an unknown neighbour is asked for three times; what waits goes out with the answer", () => {
    const made = station();
    expect(frames(made.send(OTHER))).toEqual(["all arp request 10.77.0.9"]);
    expect(frames(made.send(OTHER))).toEqual([]);
    expect(frames(made.later(1000))).toEqual(["all arp request 10.77.0.9"]);
    expect(frames(made.take(0x0806, arp("reply", OTHER, OWN)))).toEqual([
      `${OTHER_HEX} 800`,
      `${OTHER_HEX} 800`,
    ]);
    expect(made.state.deadline).toBe(Number.POSITIVE_INFINITY);

    const silent = station();
    silent.send(OTHER);
    expect([1, 2, 3, 4].map(() => silent.later(1000).length)).toEqual([1, 1, 0, 0]);
    expect(silent.state.waiting.size).toBe(0);
  });
  test("what waits is bounded, and so is who is known", () => {
    const made = station();
    const wide = { ...config, netmask: Uint8Array.of(255, 0, 0, 0) };
    let state = EMPTY_STATION;
    for (let count = 0; count < 3000; count++) {
      const sender = Uint8Array.of(10, 1 + (count >> 8), count & 255, 1);
      const payload = arp("request", sender, OWN);
      const bytes = encodeEthernet({ to: BROADCAST_MAC, from: OTHER_MAC, type: 0x0806, payload });
      ({ state } = stepStation(wide, state, { kind: "frame", bytes }, 0));
    }
    expect(state.neighbours.size).toBe(1024);
    for (let host = 2; host < 250; host++)
      for (let count = 0; count < 20; count++) made.send(Uint8Array.of(10, 77, 0, host));
    expect(made.state.waiting.size).toBe(64);
    for (const { packets } of made.state.waiting.values()) expect(packets.length).toBeLessThanOrEqual(8);
  });
});

describe("IPv4", () => {
  test("ours and broadcasts are taken, others are not", () => {
    const made = station();
    const to = (address: readonly number[]): readonly StationAction[] =>
      made.take(
        0x0800,
        encodeIpv4Packet(
          encodeUdp(OTHER, Uint8Array.from(address), { sourcePort: 1, destinationPort: 67, data: OWN }),
        ),
        BROADCAST_MAC,
      );
    for (const address of [OWN, [255, 255, 255, 255], [10, 77, 0, 255]]) {
      const [action] = to([...address]);
      expect(action).toMatchObject({ kind: "packet" });
    }
    for (const address of [
      [10, 77, 0, 2],
      [10, 77, 1, 255],
      [224, 0, 0, 1],
      [8, 8, 8, 8],
    ])
      expect(to(address)).toEqual([]);
  });
  test("from nobody is fine for DHCP; from us, or from all, is not", () => {
    const made = station();
    const from = (address: readonly number[]): number =>
      made.take(
        0x0800,
        encodeIpv4Packet(
          encodeUdp(Uint8Array.from(address), OWN, { sourcePort: 68, destinationPort: 67, data: OWN }),
        ),
      ).length;
    expect([[0, 0, 0, 0], [...OTHER], [...OWN], [255, 255, 255, 255], [10, 77, 0, 255]].map(from)).toEqual([
      1, 1, 0, 0, 0,
    ]);
  });
  test("a ping is answered, padding left off; one to all is not", () => {
    const made = station();
    made.take(0x0806, arp("request", OTHER, OWN), BROADCAST_MAC);
    const padded = new Uint8Array([...echoRequest("x"), 1, 2, 3, 4, 5]);
    const [reply] = made.take(0x0800, padded);
    expect(reply?.kind).toBe("frame");
    const frame = reply?.kind === "frame" ? parseEthernet(reply.bytes) : undefined;
    const packet = frame && parseIpv4Packet(frame.payload);
    expect(packet?.payload.subarray(8)).toEqual(Uint8Array.of(0x78));
  });
  test("what does not fit a frame, or lies outside our network, is refused by name", () => {
    const made = station();
    expect(made.send(Uint8Array.of(255, 255, 255, 255), 1472)).toMatchObject([{ kind: "frame" }]);
    expect(made.send(Uint8Array.of(255, 255, 255, 255), 1473)).toEqual([
      { kind: "refused", code: "EMSGSIZE" },
    ]);
    expect(made.send(Uint8Array.of(8, 8, 8, 8))).toEqual([{ kind: "refused", code: "ENETUNREACH" }]);
  });
  test("frames for other cards are not ours", () => {
    const made = station();
    expect(made.take(0x0806, arp("request", OTHER, OWN), OTHER_MAC)).toEqual([]);
  });
});

test("a router solicitation is answered to all nodes", () => {
  const made = station();
  const [action] = made.take(0x86dd, routerSolicitation(), Uint8Array.of(0x33, 0x33, 0, 0, 0, 2));
  expect(action?.kind === "frame" && Buffer.from(action.bytes.subarray(0, 14)).toString("hex")).toBe(
    "33330000000152550a4d000186dd",
  );
});

test("50,000 damaged frames: none throws, none is answered twice", () => {
  const fuzz = mutator();
  const made = station();
  const corpus: readonly (readonly [number, Uint8Array])[] = [
    [0x0806, arp("request", OTHER, OWN)],
    [0x0806, arp("reply", OTHER, OWN)],
    [0x0800, echoRequest("fuzz")],
    [0x86dd, routerSolicitation()],
  ];
  let answers = 0;
  for (let count = 0; count < 50_000 * ROUNDS; count++) {
    const [type, payload] = corpus[count % corpus.length] ?? [0, new Uint8Array(0)];
    const good = encodeEthernet({ to: OWN_MAC, from: OTHER_MAC, type, payload });
    const actions = made.step({ kind: "frame", bytes: fuzz.mutate(good) });
    expect(actions.length, `seed ${fuzz.seed}, frame ${count}`).toBeLessThanOrEqual(2);
    answers += actions.length;
  }
  expect(answers).toBeGreaterThan(100);
});
