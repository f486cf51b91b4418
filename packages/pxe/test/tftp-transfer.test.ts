import { describe, expect, test } from "vitest";
import {
  agreeOptions,
  encodeTftp,
  parseTftp,
  startTransfer,
  stepTransfer,
  TFTP_LIMITS,
  type TftpPacket,
  type TransferOutcome,
} from "../src/index.ts";

const terms = (options: Record<string, string> = {}, size?: number) =>
  agreeOptions(new Map(Object.entries(options)), size);
const ack = (block: number): TftpPacket => ({ kind: "ack", block });
const error = (code: number): TftpPacket => ({ kind: "error", code, message: "" });
const packet = (outcome: TransferOutcome, value: TftpPacket, now: number) =>
  stepTransfer(outcome.state, { kind: "packet", packet: value }, now);
const blocks = (from: number, to = from) => [{ kind: "blocks", from, to }];

describe("options (RFC 2347, 2348, 2349, 7440)", () => {
  test("nothing asked, nothing acknowledged: 512 bytes, one block", () => {
    expect(terms()).toEqual({ blksize: 512, windowsize: 1, reply: new Map() });
  });
  test("sizes are clamped down, never up", () => {
    expect(terms({ blksize: "65464", windowsize: "1000" })).toMatchObject({ blksize: 1468, windowsize: 64 });
    expect(terms({ blksize: "8", windowsize: "1" })).toMatchObject({ blksize: 8, windowsize: 1 });
  });
  test.each(["7", "65465", "x", "", "-1", "1e3", " 512"])("a blksize of %j is left out", (blksize) => {
    expect(terms({ blksize })).toEqual({ blksize: 512, windowsize: 1, reply: new Map() });
  });
  test.each(["0", "65536"])("a windowsize of %j is left out", (windowsize) => {
    expect(terms({ windowsize }).reply.size).toBe(0);
  });
  test("timeout is echoed exactly or left out", () => {
    expect(terms({ timeout: "6" }).reply.get("timeout")).toBe("6");
    expect(terms({ timeout: "0" }).reply.size).toBe(0);
    expect(terms({ timeout: "256" }).reply.size).toBe(0);
  });
  test("tsize 0 is answered with the size, unknown options with silence", () => {
    expect(terms({ tsize: "0", multicast: "" }, 4711).reply).toEqual(new Map([["tsize", "4711"]]));
    expect(terms({ tsize: "0" }).reply.size).toBe(0);
  });
  test("the limits fit an Ethernet frame and 64 blocks", () => {
    expect(TFTP_LIMITS).toEqual({ blksize: 1468, windowsize: 64 });
  });
});

describe("a transfer (RFC 1350)", () => {
  test("without options the first block goes out at once; a short one ends it", () => {
    const first = startTransfer(700, terms(), 0);
    expect(first.actions).toEqual(blocks(1));
    const second = packet(first, ack(1), 5);
    expect(second.actions).toEqual(blocks(2));
    expect(packet(second, ack(2), 10).actions).toEqual([{ kind: "end", outcome: "complete" }]);
  });
  test("a size that is a multiple of the block ends with an empty block", () => {
    const second = packet(startTransfer(512, terms(), 0), ack(1), 5);
    expect(second.actions).toEqual(blocks(2));
  });
  test("an empty file is one empty block", () => {
    const first = startTransfer(0, terms(), 0);
    expect(packet(first, ack(1), 1).actions).toEqual([{ kind: "end", outcome: "complete" }]);
  });
  test("with options the OACK waits for ACK 0", () => {
    const first = startTransfer(5000, terms({ blksize: "1000" }), 0);
    expect(first.actions).toEqual([{ kind: "oack" }]);
    expect(packet(first, ack(1), 1).actions).toEqual([]);
    expect(packet(first, ack(0), 2).actions).toEqual(blocks(1));
  });
  test("a duplicate ACK sends nothing again (Sorcerer's Apprentice, RFC 1123 4.2.3.1)", () => {
    const second = packet(startTransfer(5000, terms(), 0), ack(1), 5);
    expect(packet(second, ack(1), 6).actions).toEqual([]);
    expect(packet(second, ack(0), 6).actions).toEqual([]);
    expect(packet(second, ack(9), 6).actions).toEqual([]);
  });
  test("block numbers roll over from 65535 to 0", () => {
    let outcome = startTransfer(70_000 * 8, terms({ blksize: "8" }), 0);
    outcome = packet(outcome, ack(0), 0);
    for (let block = 1; block < 65_600; block++) outcome = packet(outcome, ack(block & 0xffff), block);
    expect([outcome.state.acked, outcome.actions]).toEqual([65_599, blocks(65_600)]);
  });
  test("ERROR 8 ends it as refused; hanging up after the size probe, as OVMF does with it, is no failure", () => {
    const asked = startTransfer(5000, terms({ blksize: "1000" }, 5000), 0);
    expect(packet(asked, error(8), 1).actions).toMatchObject([{ outcome: "refused" }]);
    const probe = startTransfer(5000, terms({ tsize: "0" }, 5000), 0);
    expect(packet(probe, error(8), 1).actions).toEqual([{ kind: "end", outcome: "probe" }]);
    expect(packet(probe, error(0), 1).actions).toEqual([{ kind: "end", outcome: "probe" }]);
  });
  test("other packets than ACK and ERROR end it with error 4", () => {
    const data: TftpPacket = { kind: "data", block: 1, bytes: new Uint8Array() };
    expect(packet(startTransfer(1, terms(), 0), data, 1).actions).toMatchObject([
      { kind: "error", code: 4 },
      { kind: "end", outcome: "failed" },
    ]);
  });
});

describe("windows (RFC 7440)", () => {
  const start = () => packet(startTransfer(10_000, terms({ blksize: "512", windowsize: "4" }), 0), ack(0), 1);
  test("a window goes out in one go, the next after its last ACK", () => {
    const first = start();
    expect(first.actions).toEqual(blocks(1, 4));
    expect(packet(first, ack(4), 2).actions).toEqual(blocks(5, 8));
  });
  test("an ACK inside the window tells of a gap: go on after it", () => {
    expect(packet(start(), ack(2), 2).actions).toEqual(blocks(3, 6));
  });
  test("the last window is short", () => {
    let outcome = start();
    for (const block of [4, 8, 12]) outcome = packet(outcome, ack(block), block);
    outcome = packet(outcome, ack(16), 16);
    expect(outcome.actions).toEqual(blocks(17, 20));
    expect(packet(outcome, ack(20), 20).actions).toEqual([{ kind: "end", outcome: "complete" }]);
  });
  test("a time-out repeats the window", () => {
    const first = start();
    const late = stepTransfer(first.state, { kind: "timer" }, first.state.deadline);
    expect(late.actions).toEqual(blocks(1, 4));
  });
});

describe("the timer", () => {
  const timer = (outcome: TransferOutcome) =>
    stepTransfer(outcome.state, { kind: "timer" }, outcome.state.deadline);
  test("waking up early does nothing", () => {
    const first = startTransfer(5000, terms(), 0);
    expect(stepTransfer(first.state, { kind: "timer" }, 1).actions).toEqual([]);
  });
  test("it follows the round trip, not below 20 ms", () => {
    let outcome = startTransfer(50_000, terms(), 0);
    for (let block = 1; block < 30; block++) outcome = packet(outcome, ack(block), block);
    expect(outcome.state.timer).toBe(20);
    for (let block = 30; block < 60; block++) outcome = packet(outcome, ack(block), block * 100);
    expect(outcome.state.timer).toBeGreaterThan(100);
  });
  test("blocks behind a gap give no sample: they may have been under way already", () => {
    const window = agreeOptions(new Map([["windowsize", "4"]]), undefined);
    let outcome = packet(startTransfer(50_000, window, 0), ack(0), 100);
    outcome = packet(outcome, ack(2), 200);
    const known = outcome.state.roundTrip;
    expect(known).toMatchObject({ mean: 100 });
    outcome = packet(outcome, ack(6), 201);
    expect(outcome.state.roundTrip).toEqual(known);
    // The next window is all new.
    expect(packet(outcome, ack(10), 301).state.roundTrip?.mean).toBe(100);
  });
  test("a repeated block gives no sample (Karn)", () => {
    const late = timer(startTransfer(5000, terms(), 0));
    const next = packet(late, ack(1), late.state.deadline - 1);
    expect(next.state.roundTrip).toBeUndefined();
  });
  test("it doubles up to a second, and gives up after ten seconds of silence with an ERROR", () => {
    let outcome = packet(startTransfer(5000, terms(), 0), ack(1), 4);
    const waits: number[] = [];
    let before = 4;
    while (outcome.state.phase !== "done") {
      const at = outcome.state.deadline;
      waits.push(at - before);
      before = at;
      outcome = timer(outcome);
    }
    expect(waits.slice(0, 8)).toEqual([20, 40, 80, 160, 320, 640, 1000, 1000]);
    expect(before - 4).toBeGreaterThanOrEqual(10_000);
    expect(before - 4).toBeLessThan(11_100);
    expect(outcome.actions).toMatchObject([{ kind: "error" }, { kind: "end", outcome: "failed" }]);
  });
  test("a forged request costs its victim at most five packets of 516 bytes and an ERROR", () => {
    let outcome = startTransfer(5000, terms(), 0);
    let sent = 1;
    while (outcome.state.phase !== "done") {
      outcome = timer(outcome);
      sent += outcome.actions.filter((action) => action.kind === "blocks").length;
    }
    expect(sent).toBe(5);
  });
});

test("what is encoded is parsed back", () => {
  const options = new Map([["blksize", "1468"]]);
  const packets: TftpPacket[] = [
    { kind: "read", file: "a b", mode: "octet", options },
    { kind: "write", file: "x", mode: "netascii", options: new Map() },
    { kind: "data", block: 65_535, bytes: Uint8Array.of(1, 2) },
    ack(0),
    { kind: "error", code: 8, message: "no" },
    { kind: "oack", options },
  ];
  for (const one of packets) expect(parseTftp(encodeTftp(one))).toEqual({ ok: true, value: one });
});

test("mode and option names are read in any case; a missing last NUL is tolerated", () => {
  const bytes = Buffer.from("\0\u0001file\0OCTET\0BlkSize\u0000512", "latin1");
  expect(parseTftp(bytes)).toMatchObject({
    value: { mode: "octet", options: new Map([["blksize", "512"]]) },
  });
});
