import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import type { Ipv4Packet } from "../../src/link/ipv4.ts";
import { tcpHost, type TcpHost } from "../../src/link/tcp-host.ts";
import { encodeTcp, parseTcp, TCP_FLAG, type TcpSegment } from "../../src/link/tcp-segment.ts";
import type { TcpStream } from "../../src/link/tcp-stream.ts";
import { OTHER, OWN } from "./packets.ts";

const { ack, fin, rst, syn } = TCP_FLAG;

let host: TcpHost | undefined;
afterEach(() => {
  host?.close();
  host = undefined;
});

/** A host, and what it sends. */
function start() {
  const sent: TcpSegment[] = [];
  const made = tcpHost(OWN, (packet: Ipv4Packet) => {
    const parsed = parseTcp(packet);
    if (parsed) sent.push(parsed);
  });
  host = made;
  const give = (
    fields: Partial<TcpSegment> & { flags: number; seq: number },
    from: Uint8Array = OTHER,
  ): TcpSegment[] => {
    const { data = new Uint8Array(0), ...header } = {
      sourcePort: 40_000,
      destinationPort: 80,
      ack: 0,
      window: 65_535,
      ...fields,
    };
    made.receive(encodeTcp(from, OWN, header, [data]));
    return sent.splice(0);
  };
  return { host: made, sent, give };
}

/** A peer that says yes to everything, in order. */
function client({ give, sent }: ReturnType<typeof start>, sourcePort: number) {
  const [answer] = give({ seq: 100, flags: syn, sourcePort, mss: 1460 });
  if (!answer) throw new Error("no answer to a SYN");
  let next = (answer.seq + 1) >>> 0;
  let seq = 101;
  let received = "";
  let ended = false;
  const take = (segments: readonly TcpSegment[]): void => {
    for (const segment of segments) {
      if (segment.sourcePort !== 80 || segment.destinationPort !== sourcePort || segment.seq !== next)
        continue;
      received += Buffer.from(segment.data).toString("latin1");
      next = (next + segment.data.length + ((segment.flags & fin) === 0 ? 0 : 1)) >>> 0;
      ended ||= (segment.flags & fin) !== 0;
    }
  };
  const say = (text: string, flags: number = ack): void => {
    take(give({ seq, ack: next, flags, sourcePort, data: Buffer.from(text) }));
    seq += text.length + ((flags & fin) === 0 ? 0 : 1);
  };
  say("");
  return {
    say,
    async until(condition: (text: string, ended: boolean) => boolean): Promise<string> {
      while (!condition(received, ended)) {
        await delay(1);
        take(sent.splice(0));
        say("");
      }
      return received;
    },
  };
}

function httpServer(): Server {
  return createServer((request, response) => {
    const { remoteAddress = "", remotePort = 0 } = request.socket;
    let body = "";
    request.on("data", (part: Buffer) => (body += part.toString()));
    request.on("end", () =>
      response.end(`${request.method} ${request.url} ${remoteAddress}:${remotePort} ${body}`),
    );
  });
}

describe("HTTP by node:http over our TCP", () => {
  test("requests, one after the other on one connection, then an end from either side", async () => {
    const started = start();
    const server = httpServer();
    started.host.listen(80, (stream) => void server.emit("connection", stream));
    const peer = client(started, 40_001);
    peer.say("GET /one HTTP/1.1\r\nhost: x\r\n\r\n");
    await peer.until((text) => text.includes("GET /one 10.77.0.9:40001"));
    peer.say("POST /two HTTP/1.1\r\nhost: x\r\ncontent-length: 11\r\n\r\nhello");
    peer.say(" world");
    await peer.until((text) => text.includes("POST /two 10.77.0.9:40001 hello world"));
    peer.say("GET /three HTTP/1.0\r\n\r\n");
    const text = await peer.until((_text, ended) => ended);
    expect(text).toContain("GET /three");
    peer.say("", ack | fin);
    expect(started.host.size).toBe(1); // in TIME-WAIT: the server ended first
    const other = client(started, 40_002);
    other.say("GET /four HTTP/1.1\r\nhost: x\r\n\r\n");
    await other.until((text) => text.includes("GET /four"));
    other.say("", ack | fin);
    await other.until((_text, ended) => ended);
    expect(started.host.size).toBe(1);
  });
  test("a reset in the middle of an answer ends the stream with ECONNRESET", async () => {
    const started = start();
    let stream: TcpStream | undefined;
    started.host.listen(80, (made) => (stream = made));
    const peer = client(started, 40_003);
    const error = new Promise<Error & { code?: string }>((resolve) => stream?.once("error", resolve));
    stream?.write(Buffer.alloc(1_000_000));
    peer.say("", rst | ack);
    expect((await error).code).toBe("ECONNRESET");
    expect(started.host.size).toBe(0);
  });
  test("a program that leaves early resets; what comes later is refused", () => {
    const started = start();
    let stream: TcpStream | undefined;
    started.host.listen(80, (made) => (stream = made));
    client(started, 40_004);
    stream?.destroy();
    expect(started.sent.splice(0).at(-1)?.flags).toBe(rst | ack);
    const [refused] = started.give({
      seq: 101,
      ack: 7,
      flags: ack,
      sourcePort: 40_004,
      data: Buffer.from("x"),
    });
    expect(refused).toMatchObject({ flags: rst, seq: 7 });
  });
  test("an answer that a program gives at once goes out after the ACK of the question", async () => {
    const started = start();
    started.host.listen(80, (stream) => stream.on("data", () => stream.write("answer")));
    const [made] = started.give({ seq: 100, flags: syn, sourcePort: 40_008 });
    const next = ((made?.seq ?? 0) + 1) >>> 0;
    const question = { seq: 101, ack: next, flags: ack, sourcePort: 40_008, data: Buffer.from("question") };
    started.give({ ...question, data: Buffer.from("") });
    await delay(5); // from now on the stream flows
    const out = started.give(question).concat(started.give({ ...question, seq: 109 }));
    expect(out.map((each) => [each.seq - next, Buffer.from(each.data).toString(), each.ack])).toEqual([
      [0, "", 109],
      [0, "answer", 109],
      [6, "", 117],
      [6, "answer", 117],
    ]);
  });
  test("a program that gives much is held up until it is confirmed", async () => {
    const started = start();
    let stream: TcpStream | undefined;
    started.host.listen(80, (made) => (stream = made));
    client(started, 40_005);
    let written = 0;
    const chunk = Buffer.alloc(64 * 1024);
    while (stream?.write(chunk) === true) written += chunk.length;
    await delay(20);
    expect(started.host.size).toBe(1);
    expect(written).toBeLessThan(1_000_000);
    // Only what the peer's window takes is out.
    const out = started.sent.reduce((sum, { data }) => sum + data.length, 0);
    expect(out).toBeLessThanOrEqual(65_535);
  });
});

describe("bounds", () => {
  test("a closed port refuses (RFC 9293 section 3.10.7.1)", () => {
    const { give } = start();
    expect(give({ seq: 5, flags: syn })).toMatchObject([{ flags: rst | ack, seq: 0, ack: 6 }]);
    expect(give({ seq: 5, ack: 9, flags: ack })).toMatchObject([{ flags: rst, seq: 9 }]);
    expect(give({ seq: 5, flags: rst })).toEqual([]);
  });
  test("a flood of SYNs holds 128 half-open connections, and others get through it", async () => {
    const started = start();
    const server = httpServer();
    started.host.listen(80, (stream) => void server.emit("connection", stream));
    const flood = (): void => {
      for (let count = 0; count < 2000; count++)
        started.give(
          { seq: count, flags: syn, sourcePort: 1024 + count },
          Uint8Array.of(10, 77, 0, 100 + (count % 9)),
        );
    };
    flood();
    expect(started.host.size).toBe(128);
    const peer = client(started, 50_000);
    flood();
    peer.say("GET /through HTTP/1.1\r\nhost: x\r\n\r\n");
    expect(await peer.until((text) => text.includes("through"))).toContain("200 OK");
    expect(started.host.size).toBe(129);
  });
  test("one peer has 256 connections at most, all together 1024; others keep theirs", () => {
    const started = start();
    const streams: TcpStream[] = [];
    started.host.listen(80, (stream) => streams.push(stream));
    const connect = (from: Uint8Array, sourcePort: number): boolean => {
      const [answer] = started.give({ seq: 1, flags: syn, sourcePort }, from);
      if (!answer) return false;
      started.give({ seq: 2, ack: (answer.seq + 1) >>> 0, flags: ack, sourcePort }, from);
      return true;
    };
    const address = (peer: number): Uint8Array => Uint8Array.of(10, 77, 0, peer);
    let made = 0;
    for (let peer = 2; peer < 8; peer++)
      for (let count = 0; count < 300; count++) if (connect(address(peer), 2000 + count)) made += 1;
    expect(made).toBe(1024);
    expect(streams).toHaveLength(1024);
    expect(connect(address(2), 9000)).toBe(false);
    streams[0]?.destroy();
    expect(connect(address(2), 9000)).toBe(true);
  });
  test("a peer that says nothing is cut off by the server's own clock", async () => {
    const started = start();
    const server = httpServer();
    server.setTimeout(50);
    started.host.listen(80, (stream) => void server.emit("connection", stream));
    client(started, 40_007);
    expect(started.host.size).toBe(1);
    while (started.host.size > 0) await delay(5);
    expect(started.sent.at(-1)?.flags).toBe(rst | ack);
  });
  test("a peer that comes again with its old ports in TIME-WAIT is let in", () => {
    const started = start();
    const streams: TcpStream[] = [];
    started.host.listen(80, (stream) => streams.push(stream));
    client(started, 40_006).say("");
    streams[0]?.end();
    const [end] = started.sent.splice(0);
    started.give({ seq: 101, ack: ((end?.seq ?? 0) + 1) >>> 0, flags: ack | fin, sourcePort: 40_006 });
    expect(started.host.size).toBe(1);
    // An old duplicate of a SYN is not.
    expect(started.give({ seq: 100, flags: syn, sourcePort: 40_006 })).toMatchObject([{ flags: ack }]);
    expect(started.give({ seq: 5000, flags: syn, sourcePort: 40_006 })).toMatchObject([{ flags: syn | ack }]);
  });
});
