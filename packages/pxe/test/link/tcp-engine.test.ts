import { describe, expect, test } from "vitest";
import { acceptTcp, stepTcp } from "../../src/link/tcp-engine.ts";
import { TCP_FLAG, type TcpSegment } from "../../src/link/tcp-segment.ts";
import { CAPACITY, type TcpAction, type TcpEvent, type TcpState } from "../../src/link/tcp-state.ts";
import { mutator } from "../fuzz.ts";
import { handshakeAck, segment, type Sent } from "./connect.ts";

/** FUZZ_ROUNDS makes a long run of it. */
const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? 1);

const { ack, fin, psh, rst, syn } = TCP_FLAG;
const SYN = segment({ seq: 999, flags: syn, mss: 1000, window: 8000 });
const ISS = 4999;

/** A connection under test: what it does in each step, with a clock that is moved by hand. */
function connection(opening: TcpSegment = SYN) {
  let now = 0;
  const first = acceptTcp(opening, ISS, now);
  let state: TcpState = first.state;
  const step = (event: TcpEvent): readonly TcpAction[] => {
    const outcome = stepTcp(state, event, now);
    state = outcome.state;
    return outcome.actions;
  };
  return {
    opening: first.actions,
    step,
    get state() {
      return state;
    },
    take: (fields: Partial<TcpSegment>) =>
      step({
        kind: "segment",
        segment: segment({ seq: 1000, ack: 5000, flags: ack, window: 8000, ...fields }),
      }),
    later(milliseconds: number) {
      now += milliseconds;
      return step({ kind: "timer" });
    },
  };
}

function open(opening: TcpSegment = SYN) {
  const made = connection(opening);
  expect(made.take({ window: opening.window })).toEqual([{ kind: "open" }, { kind: "acked", below: 1 }]);
  return made;
}

/** The segments among actions, in short. */
function sent(actions: readonly TcpAction[]): string[] {
  const names = [
    [syn, "S"],
    [ack, "A"],
    [psh, "P"],
    [fin, "F"],
    [rst, "R"],
  ] as const;
  return actions
    .filter((action): action is Sent => action.kind === "send")
    .map(({ header, length }) => {
      const flags = names.map(([bit, name]) => ((header.flags & bit) === 0 ? "" : name)).join("");
      return `${flags} ${header.seq}+${length} ack ${header.ack}`;
    });
}

const bytes = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value);
const delivered = (actions: readonly TcpAction[]): string =>
  Buffer.concat(actions.flatMap((action) => (action.kind === "deliver" ? [action.bytes] : []))).toString();
const kinds = (actions: readonly TcpAction[]): string[] => actions.map(({ kind }) => kind);

describe("the handshake", () => {
  test("a SYN is answered with our segment size, and a scale only if it had one", () => {
    const [plain] = connection().opening as readonly [Sent];
    expect(sent([plain])).toEqual(["SA 4999+0 ack 1000"]);
    expect(plain.header).toMatchObject({ mss: 1460, scale: undefined, window: CAPACITY });
    const [scaled] = connection({ ...SYN, scale: 9 }).opening as readonly [Sent];
    expect(scaled.header.scale).toBe(0);
  });
  test("a lost answer is sent again after 1 s, 2 s, 4 s, and to a repeated SYN at once", () => {
    const made = connection();
    expect(sent(made.later(999))).toEqual([]);
    expect(sent(made.later(1))).toEqual(["SA 4999+0 ack 1000"]);
    expect(sent(made.later(1999))).toEqual([]);
    expect(sent(made.later(1))).toEqual(["SA 4999+0 ack 1000"]);
    expect(sent(made.take({ seq: 999, flags: syn, ack: 0 }))).toEqual(["SA 4999+0 ack 1000"]);
    expect(sent(made.later(4000))).toEqual(["SA 4999+0 ack 1000"]);
  });
  test("it ends after 100 s of silence", () => {
    const made = connection();
    const all = Array.from({ length: 130 }, () => made.later(1000)).flat();
    expect(kinds(all).at(-1)).toBe("closed");
    expect(sent(all).length).toBeLessThan(10);
  });
  test("an ACK of something else is answered by a reset, and the connection stays", () => {
    const made = connection();
    expect(sent(made.take({ ack: 77 }))).toEqual(["R 77+0 ack 0"]);
    expect(made.state.phase).toBe("syn-received");
  });
  test("data may come with the last word of the handshake", () => {
    const made = connection();
    const actions = made.take({ data: Buffer.from("GET"), flags: ack | psh });
    expect(kinds(actions)).toEqual(["open", "acked", "deliver", "send"]);
    expect(sent(actions)).toEqual(["A 5000+0 ack 1003"]);
  });
  test("segment sizes: what the peer takes, at most ours, at least something", () => {
    const sizeFor = (mss: number | undefined): number => acceptTcp({ ...SYN, mss }, 0, 0).state.mss;
    expect([undefined, 0, 1, 100, 1000, 9000].map(sizeFor)).toEqual([536, 88, 88, 100, 1000, 1460]);
  });
});

describe("sending", () => {
  test("full segments within the peer's window; the last has PSH", () => {
    const made = open();
    expect(sent(made.step({ kind: "write", bytes: 2500 }))).toEqual([
      "A 5000+1000 ack 1000",
      "A 6000+1000 ack 1000",
      "AP 7000+500 ack 1000",
    ]);
    expect(sent(made.step({ kind: "write", bytes: 10_000 }))).toHaveLength(5);
    expect(made.state.next).toBe(1 + 7500);
    // No silly segment for the 500 bytes of window that are left.
    expect(sent(made.take({ ack: 6000, window: 8000 }))).toEqual(["A 12500+1000 ack 1000"]);
  });
  test("a scaled window is multiplied, that of the SYN is not", () => {
    const made = connection({ ...SYN, scale: 3, window: 100 });
    expect(made.state.window).toBe(100);
    made.take({ window: 1000 });
    expect(made.state.window).toBe(8000);
  });
  test("the end goes with the last bytes, or by itself", () => {
    const one = open();
    one.step({ kind: "write", bytes: 8000 });
    one.step({ kind: "write", bytes: 10 });
    one.step({ kind: "end" });
    expect(sent(one.take({ ack: 13_000 }))).toEqual(["APF 13000+10 ack 1000"]);
    const other = open();
    other.step({ kind: "write", bytes: 10 });
    expect(sent(other.step({ kind: "end" }))).toEqual(
      ["APF 5010+0 ack 1000"].map((text) => text.replace("AP", "AP")),
    );
  });
  test("the first loss is repaired by three duplicates, without the timer (RFC 5681)", () => {
    const made = open({ ...SYN, window: 60_000 });
    made.step({ kind: "write", bytes: 8000 });
    const again = { ack: 6000, window: 60_000 };
    made.take(again);
    expect([1, 2].flatMap(() => sent(made.take(again)))).toEqual([]);
    expect(sent(made.take(again))).toEqual(["A 6000+1000 ack 1000"]);
    // A second hole shows in a partial ACK (RFC 6582).
    expect(sent(made.take({ ack: 8000, window: 60_000 }))).toEqual(["A 8000+1000 ack 1000"]);
    expect(made.state.retransmissions).toBe(2);
    made.take({ ack: 13_000, window: 60_000 });
    expect(made.state.recovering).toBe(false);
  });
  test("a change of the window, or data, is no duplicate", () => {
    const made = open({ ...SYN, window: 60_000 });
    made.step({ kind: "write", bytes: 8000 });
    for (const window of [50_000, 40_000, 30_000, 20_000]) expect(sent(made.take({ window }))).toEqual([]);
    for (let at = 0; at < 4; at++) {
      const actions = made.take({ window: 20_000, seq: 1000 + at, data: bytes(1) });
      expect(sent(actions)).toEqual([`A 13000+0 ack ${1001 + at}`]);
    }
  });
  test("without any answer: again after the timer, which doubles; the congestion window is one segment", () => {
    const made = open({ ...SYN, window: 60_000 });
    made.step({ kind: "write", bytes: 8000 });
    const { rto } = made.state;
    expect(rto).toBe(200);
    expect(sent(made.later(200))).toEqual(["A 5000+1000 ack 1000"]);
    expect(made.state.cwnd).toBe(1000);
    expect(sent(made.later(399))).toEqual([]);
    expect(sent(made.later(1))).toEqual(["A 5000+1000 ack 1000"]);
    // All had arrived but the first: nothing else is repeated.
    expect(sent(made.take({ ack: 13_000, window: 60_000 }))).toEqual([]);
    expect(made.state.deadline).toBe(Number.POSITIVE_INFINITY);
  });
  test("a round trip of a repeated segment is not measured (Karn)", () => {
    const made = open();
    made.step({ kind: "write", bytes: 100 });
    made.later(200);
    const { roundTrip } = made.state;
    made.later(5000);
    made.take({ ack: 5100 });
    expect(made.state.roundTrip).toEqual(roundTrip);
  });
  test("a closed window is probed for as long as the peer answers, and its opening is used at once", () => {
    const made = open();
    made.step({ kind: "write", bytes: 8000 });
    made.step({ kind: "write", bytes: 500 });
    expect(sent(made.take({ ack: 13_000, window: 0 }))).toEqual([]);
    let probes = 0;
    for (let second = 0; second < 600; second++) {
      for (const text of sent(made.later(1000))) {
        expect(text).toBe("A 13000+1 ack 1000");
        probes += 1;
        made.take({ ack: 13_000, window: 0 });
      }
    }
    expect(probes).toBeGreaterThan(10);
    expect(probes).toBeLessThan(30);
    expect(sent(made.take({ ack: 13_000, window: 8000 }))).toEqual(["AP 13000+500 ack 1000"]);
    // The pauses between probes are not those between repetitions.
    expect(sent(made.later(200))).toEqual(["AP 13000+500 ack 1000"]);
    // The probe's byte may have been taken all the same.
    expect(kinds(made.take({ ack: 13_001, window: 8000 }))).toEqual(["acked"]);
  });
  test("the byte of a probe may be taken although the window stays closed", () => {
    const made = open();
    made.step({ kind: "write", bytes: 8500 });
    made.take({ ack: 13_000, window: 0 });
    expect(sent(made.later(1000))).toEqual(["A 13000+1 ack 1000"]);
    expect(made.take({ ack: 13_001, window: 0 })).toEqual([{ kind: "acked", below: 8002 }]);
    expect(sent(made.later(2000))).toEqual(["A 13001+1 ack 1000"]);
  });
  test("a segment that was overtaken does not bring back its old window", () => {
    const made = open();
    made.take({ seq: 1010, data: bytes(10), window: 100 });
    expect(made.state.window).toBe(100);
    made.take({ data: bytes(10), window: 8000 });
    expect([made.state.received, made.state.window]).toEqual([21, 100]);
  });
  test("an ACK of what was never sent changes nothing and is answered", () => {
    const made = open();
    made.step({ kind: "write", bytes: 10 });
    const before = made.state;
    expect(sent(made.take({ ack: 5011 }))).toEqual(["A 5010+0 ack 1000"]);
    expect(made.state.una).toBe(before.una);
  });
  test("a peer that is silent for 100 s is given up with a reset, also after a long pause", () => {
    const made = open();
    made.later(3_600_000);
    made.step({ kind: "write", bytes: 10 });
    const all = Array.from({ length: 170 }, () => made.later(1000)).flat();
    expect(sent(all).length).toBeGreaterThan(5);
    expect(sent(all).at(-1)).toBe("AR 5010+0 ack 1000");
    expect(all.at(-1)).toEqual({ kind: "closed", reason: "timeout" });
  });
});

describe("receiving", () => {
  test("in order: delivered and confirmed", () => {
    const made = open();
    const actions = made.take({ data: Buffer.from("hello") });
    expect(delivered(actions)).toBe("hello");
    expect(sent(actions)).toEqual(["A 5000+0 ack 1005"]);
  });
  test("out of order, overlapping, twice: each byte once", () => {
    const made = open();
    const text = Buffer.from("0123456789abcdef");
    const piece = (from: number, to: number): readonly TcpAction[] =>
      made.take({ seq: 1000 + from, data: text.subarray(from, to) });
    expect(sent(piece(4, 6))).toEqual(["A 5000+0 ack 1000"]);
    piece(8, 12);
    piece(10, 14);
    piece(5, 9);
    piece(4, 14);
    expect(made.state.early.map(({ at, bytes }) => [at, bytes.length])).toEqual([
      [5, 2],
      [7, 2],
      [9, 4],
      [13, 2],
    ]);
    expect(delivered(piece(0, 5))).toBe("0123456789abcd");
    expect(delivered(piece(0, 16))).toBe("ef");
    expect(delivered(piece(0, 16))).toBe("");
    expect(made.state.early).toEqual([]);
  });
  test("what lies beyond the window is cut off", () => {
    const made = open();
    const actions = made.take({ seq: 1000 + CAPACITY - 2, data: bytes(10) });
    expect(sent(actions)).toEqual(["A 5000+0 ack 1000"]);
    expect(made.state.early.map(({ bytes }) => bytes.length)).toEqual([2]);
    expect(made.take({ seq: 1000 + CAPACITY, data: bytes(10) })).toHaveLength(1);
    expect(made.state.early).toHaveLength(1);
  });
  test("the window closes as the program does not read, and its opening is told", () => {
    const made = open();
    for (let at = 0; at < CAPACITY; at += 1000)
      made.take({ seq: 1000 + at, data: bytes(Math.min(1000, CAPACITY - at)) });
    expect(made.state.edge - made.state.received).toBe(0);
    const [refused] = made.take({ seq: 1000 + CAPACITY, data: bytes(1) }) as readonly [Sent];
    expect(refused.header).toMatchObject({ window: 0, ack: 1000 + CAPACITY });
    // A few bytes are not worth a word (silly window).
    expect(made.step({ kind: "read", bytes: 999 })).toEqual([]);
    const [opened] = made.step({ kind: "read", bytes: 1 }) as readonly [Sent];
    expect(opened.header.window).toBe(1000);
    // ACKs are taken while it is closed.
    made.step({ kind: "write", bytes: 10 });
    expect(kinds(made.take({ seq: 1000 + CAPACITY, ack: 5010 }))).toContain("acked");
  });
  test("the end comes after the last byte, also when it arrives first", () => {
    const made = open();
    expect(kinds(made.take({ seq: 1003, flags: ack | fin }))).toEqual(["send"]);
    const actions = made.take({ data: Buffer.from("end") });
    expect(kinds(actions)).toEqual(["deliver", "peer-ended", "send"]);
    expect(sent(actions)).toEqual(["A 5000+0 ack 1004"]);
    // Nothing follows an end.
    expect(kinds(made.take({ seq: 1004, data: bytes(5) }))).toEqual(["send"]);
  });
  test("a probe of our presence is answered", () => {
    const made = open();
    expect(sent(made.take({ seq: 999 }))).toEqual(["A 5000+0 ack 1000"]);
  });
  test("more gaps than a network makes are not kept", () => {
    const made = open();
    for (let at = 1; at < 1000; at++) made.take({ seq: 1000 + at * 2, data: bytes(1) });
    expect(made.state.early.length).toBeLessThanOrEqual(64);
  });
});

describe("the end", () => {
  test("the peer first: closed when our end is confirmed", () => {
    const made = open();
    made.take({ flags: ack | fin });
    expect(sent(made.step({ kind: "end" }))).toEqual(["APF 5000+0 ack 1001"]);
    expect(made.take({ seq: 1001, ack: 5001 })).toEqual([
      { kind: "acked", below: 2 },
      { kind: "closed", reason: "done" },
    ]);
  });
  test("ours first: then TIME-WAIT, which answers a repeated end, for a minute", () => {
    const made = open();
    made.step({ kind: "end" });
    made.take({ ack: 5001 });
    expect(sent(made.take({ ack: 5001, flags: ack | fin }))).toEqual(["A 5001+0 ack 1001"]);
    expect(made.state.phase).toBe("time-wait");
    made.later(30_000);
    expect(sent(made.take({ ack: 5001, flags: ack | fin }))).toEqual(["A 5001+0 ack 1001"]);
    expect(kinds(made.later(59_999))).toEqual([]);
    expect(made.later(60_000)).toEqual([{ kind: "closed", reason: "done" }]);
  });
  test("both at once", () => {
    const made = open();
    made.step({ kind: "end" });
    made.take({ ack: 5000, flags: ack | fin });
    expect(made.state.phase).toBe("open");
    made.take({ seq: 1001, ack: 5001 });
    expect(made.state.phase).toBe("time-wait");
  });
  test("a lost end is sent again", () => {
    const made = open();
    made.step({ kind: "end" });
    expect(sent(made.later(200))).toEqual(["APF 5000+0 ack 1000"]);
  });
  test("a peer that keeps its half open is not waited for", () => {
    const made = open();
    made.step({ kind: "end" });
    made.take({ ack: 5001 });
    expect(kinds(made.later(59_000))).toEqual([]);
    expect(made.later(1000)).toEqual([{ kind: "closed", reason: "timeout" }]);
  });
  test("an abort is a reset", () => {
    const made = open();
    expect(sent(made.step({ kind: "abort" }))).toEqual(["AR 5000+0 ack 1000"]);
    expect(made.take({ data: bytes(1) })).toEqual([]);
  });
});

describe("strangers (RFC 5961)", () => {
  test("a reset counts at the exact place; elsewhere in the window it is questioned, outside ignored", () => {
    const made = open();
    expect(made.take({ seq: 1000 + CAPACITY + 1, flags: rst })).toEqual([]);
    expect(made.take({ seq: 999, flags: rst })).toEqual([]);
    expect(sent(made.take({ seq: 1001, flags: rst }))).toEqual(["A 5000+0 ack 1000"]);
    expect(made.take({ flags: rst })).toEqual([{ kind: "closed", reason: "reset" }]);
  });
  test("a SYN is questioned", () => {
    const made = open();
    expect(sent(made.take({ seq: 4_000_000, flags: syn }))).toEqual(["A 5000+0 ack 1000"]);
    expect(sent(made.take({ flags: syn | ack }))).toEqual(["A 5000+0 ack 1000"]);
    expect(made.state.phase).toBe("open");
  });
  test("a segment without ACK is dropped", () => {
    const made = open();
    expect(made.take({ flags: psh, data: bytes(3) })).toEqual([]);
  });

  test("20,000 hostile segments: no more answers than segments, memory in bounds, the rest still works", () => {
    const fuzz = mutator();
    for (let round = 0; round < 20 * ROUNDS; round++) {
      const made = open({ ...SYN, scale: fuzz.below(2) === 0 ? 14 : undefined });
      made.step({ kind: "write", bytes: 50_000 });
      for (let count = 0; count < 1000; count++) {
        const near = (middle: number, spread: number): number =>
          fuzz.below(4) === 0 ? fuzz.below(2 ** 32 - 1) : (middle + fuzz.below(spread) - spread / 2) >>> 0;
        const before = made.state.retransmissions;
        const actions = made.take({
          seq: near(1000 + made.state.received, 200_000),
          ack: near(5000 + made.state.una, 20_000),
          // A reset at the exact place would be a fair end.
          flags: fuzz.below(64) & ~rst,
          window: fuzz.below(65_536),
          mss: fuzz.below(65_536),
          scale: fuzz.below(20),
          data: bytes(fuzz.below(2000)),
        });
        const where = `seed ${fuzz.seed}, round ${round}, segment ${count}`;
        if (made.state.phase !== "open") break;
        const { state } = made;
        const { una, next, most, written } = state;
        const sound =
          state.early.length <= 64 &&
          state.edge >= state.received &&
          state.edge - state.received <= CAPACITY &&
          una <= next &&
          next <= most &&
          most <= written + 1 &&
          state.retransmissions - before <= 1 &&
          Number.isFinite(state.cwnd) &&
          state.cwnd > 0;
        if (!sound) expect.fail(`${where}: ${JSON.stringify(state)}`);
        for (const action of actions)
          if (action.kind === "deliver") made.step({ kind: "read", bytes: action.bytes.length });
      }
    }
  });
});

test("the handshake's last word is what a client would send", () => {
  const made = connection();
  const [answer] = made.opening as readonly [Sent];
  expect(kinds(made.step({ kind: "segment", segment: handshakeAck(SYN, answer.header) }))[0]).toBe("open");
});
