import { describe, expect, test } from "vitest";
import {
  agreeOptions,
  startReceive,
  stepReceive,
  type ReceiveOutcome,
  type TftpPacket,
} from "../src/index.ts";

const terms = (options: Record<string, string> = {}) =>
  agreeOptions(new Map(Object.entries(options)), undefined);
const data = (block: number, length: number): TftpPacket => ({
  kind: "data",
  block,
  bytes: new Uint8Array(length),
});
const packet = (outcome: ReceiveOutcome, value: TftpPacket, now: number) =>
  stepReceive(outcome.state, { kind: "packet", packet: value }, now);
const timer = (outcome: ReceiveOutcome) =>
  stepReceive(outcome.state, { kind: "timer" }, outcome.state.deadline);
/** What it says, without the bytes that it stores. */
const said = (outcome: ReceiveOutcome) =>
  outcome.actions.map((action) => (action.kind === "ack" ? `ack ${action.block}` : action.kind));

describe("a receiver (RFC 1350, RFC 7440)", () => {
  test("a server begins with ACK 0 or an OACK, a client with nothing", () => {
    expect(said(startReceive(terms(), 0, "ack"))).toEqual(["ack 0"]);
    expect(said(startReceive(terms({ blksize: "1000" }), 0, "oack"))).toEqual(["oack"]);
    expect(said(startReceive(terms(), 0))).toEqual([]);
  });
  test("in lock-step each block is stored and confirmed; the short one is the last", () => {
    const first = packet(startReceive(terms(), 0, "ack"), data(1, 512), 1);
    expect(said(first)).toEqual(["store", "ack 1"]);
    const last = packet(first, data(2, 511), 2);
    expect(said(last)).toEqual(["store", "ack 2", "end"]);
    expect(last.state.bytes).toBe(1023);
  });
  test("a window is confirmed at its end", () => {
    let outcome = startReceive(terms({ windowsize: "3" }), 0, "oack");
    const all: string[][] = [];
    for (let block = 1; block <= 6; block++)
      all.push(said((outcome = packet(outcome, data(block, 512), block))));
    expect(all.flat()).toEqual(["store", "store", "store", "ack 3", "store", "store", "store", "ack 6"]);
  });
  test("a gap is told of once, with the last block that was in order", () => {
    let outcome = startReceive(terms({ windowsize: "4" }), 0, "oack");
    outcome = packet(outcome, data(1, 512), 1);
    outcome = packet(outcome, data(3, 512), 2);
    expect(said(outcome)).toEqual(["ack 1"]);
    outcome = packet(outcome, data(4, 512), 3);
    expect(said(outcome)).toEqual([]);
    // The sender goes on behind the gap, and the next window is counted from there.
    for (const block of [2, 3, 4]) outcome = packet(outcome, data(block, 512), 4);
    expect(said(packet(outcome, data(5, 512), 5))).toEqual(["store", "ack 5"]);
  });
  test("the last block in order, when it comes again, is confirmed again; older ones are not", () => {
    let outcome = startReceive(terms({ windowsize: "4" }), 0, "oack");
    for (const block of [1, 2]) outcome = packet(outcome, data(block, 512), 1);
    expect(said(packet(outcome, data(1, 512), 2))).toEqual([]);
    expect(said(packet(outcome, data(2, 512), 2))).toEqual(["ack 2"]);
  });
  test("block numbers roll over from 65535 to 0", () => {
    let outcome = startReceive(terms({ blksize: "8" }), 0, "oack");
    for (let block = 1; block <= 65_600; block++) outcome = packet(outcome, data(block & 0xffff, 8), block);
    expect(outcome.state.received).toBe(65_600);
    expect(said(packet(outcome, data(65_601 & 0xffff, 3), 70_000))).toEqual(["store", "ack 65601", "end"]);
  });
  test("a block that is too long ends it with ERROR 4", () => {
    const outcome = packet(startReceive(terms(), 0, "ack"), data(1, 513), 1);
    expect(outcome.actions).toMatchObject([
      { kind: "error", code: 4 },
      { kind: "end", outcome: "failed" },
    ]);
  });
  test("silence: the last answer again, doubling up to a second, and the end after ten seconds", () => {
    let outcome = packet(startReceive(terms(), 0, "ack"), data(1, 512), 5);
    const waits: number[] = [];
    for (let before = 5; outcome.state.phase !== "done";) {
      waits.push(Math.round(outcome.state.deadline - before));
      before = outcome.state.deadline;
      outcome = timer(outcome);
      if (outcome.state.phase !== "done") expect(said(outcome)).toEqual(["ack 1"]);
    }
    expect(waits.slice(0, 6)).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(outcome.actions).toMatchObject([
      { kind: "error", code: 0 },
      { kind: "end", outcome: "failed" },
    ]);
  });
  test("after its end the last block is confirmed again for three seconds, and an ERROR changes nothing", () => {
    const over = packet(startReceive(terms(), 0, "ack"), data(1, 5), 1);
    expect(said(packet(over, data(1, 5), 2))).toEqual(["ack 1"]);
    expect(packet(over, { kind: "error", code: 0, message: "" }, 2)).toEqual({
      state: over.state,
      actions: [],
    });
    expect(over.state.deadline).toBe(3001);
    expect(timer(over).state.phase).toBe("done");
  });
});
