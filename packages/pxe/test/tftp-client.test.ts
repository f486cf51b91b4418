import { describe, expect, test } from "vitest";
import { startFetch, stepFetch, type FetchOutcome, type TftpFetch, type TftpPacket } from "../src/index.ts";

const start = (fetch: Partial<TftpFetch> = {}) => startFetch({ file: "x", ...fetch }, 0);
const packet = (outcome: FetchOutcome, value: TftpPacket, port = 4000, now = 1) =>
  stepFetch(outcome.state, { kind: "packet", packet: value, port }, now);
const oack = (options: Record<string, string>): TftpPacket => ({
  kind: "oack",
  options: new Map(Object.entries(options)),
});
const data = (block: number, length: number): TftpPacket => ({
  kind: "data",
  block,
  bytes: new Uint8Array(length),
});
const send = (sent: TftpPacket, port = 4000) => ({ kind: "send", port, packet: sent });
const ack = (block: number) => send({ kind: "ack", block });

describe("a client (RFC 2347)", () => {
  test("asks for what it is told to, in octet mode", () => {
    const { actions } = start({ blksize: 1468, windowsize: 16, tsize: true });
    const options = new Map([
      ["tsize", "0"],
      ["blksize", "1468"],
      ["windowsize", "16"],
    ]);
    expect(actions).toEqual([
      { kind: "request", packet: { kind: "read", file: "x", mode: "octet", options } },
    ]);
  });
  test("takes the server's terms from its OACK, and answers one that comes again", () => {
    const asked = start({ blksize: 1468, windowsize: 16, tsize: true });
    const agreed = packet(asked, oack({ blksize: "1024", windowsize: "2", tsize: "4711" }));
    expect(agreed.actions).toEqual([ack(0)]);
    expect(agreed.state.size).toBe(4711);
    expect(packet(agreed, oack({ blksize: "1024" })).actions).toEqual([ack(0)]);
    const half = packet(agreed, data(1, 1024));
    expect(half.actions.map(({ kind }) => kind)).toEqual(["store"]);
    expect(packet(half, data(2, 1024)).actions.at(-1)).toEqual(ack(2));
  });
  test("a server that knows no options sends data at once: 512 bytes, lock-step", () => {
    const first = packet(start({ blksize: 1468 }), data(1, 512));
    expect(first.actions.map(({ kind }) => kind)).toEqual(["store", "send"]);
    expect(packet(first, data(2, 0)).actions.at(-1)).toEqual({ kind: "end", outcome: "complete" });
  });
  test.each<Record<string, string>>([
    { blksize: "1469" },
    { blksize: "7" },
    { blksize: "x" },
    { windowsize: "1" },
    { rollover: "1" },
  ])("an OACK of %j, which was not asked for, is refused with ERROR 8", (options) => {
    const outcome = packet(start({ blksize: 1468 }), oack(options));
    expect(outcome.actions).toMatchObject([
      { kind: "send", port: 4000, packet: { kind: "error", code: 8 } },
      { kind: "end", outcome: "failed" },
    ]);
  });
  test("an ERROR is the end", () => {
    const outcome = packet(start(), { kind: "error", code: 1, message: "File not found" });
    expect(outcome.actions).toEqual([
      { kind: "end", outcome: "refused", detail: 'error 1 from the server: "File not found"' },
    ]);
  });
  test("another port than the first one's is told that it has no client, and changes nothing", () => {
    const first = packet(start(), data(1, 512));
    const stray = packet(first, data(2, 512), 4001);
    expect(stray.state).toEqual(first.state);
    expect(stray.actions).toMatchObject([{ kind: "send", port: 4001, packet: { kind: "error", code: 5 } }]);
    expect(packet(first, { kind: "error", code: 0, message: "" }, 4001).actions).toEqual([]);
  });
  test("the request is repeated, and given up after ten seconds", () => {
    let outcome = start();
    let requests = 0;
    while (outcome.state.phase !== "done") {
      outcome = stepFetch(outcome.state, { kind: "timer" }, outcome.state.deadline);
      requests += outcome.actions.filter(({ kind }) => kind === "request").length;
    }
    expect(requests).toBe(6);
    expect(outcome.actions).toMatchObject([{ kind: "end", outcome: "failed" }]);
  });
});
