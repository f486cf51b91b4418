import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  encodeTftp,
  parseTftp,
  startTftpServer,
  toNetascii,
  type PxeEventBody,
  type TftpPacket,
  type TftpServer,
  type VirtualFile,
} from "../src/index.ts";

const SIZES = [0, 1, 511, 512, 513, 1467, 1468, 1469, 100_000, 3_000_000];
const contents = new Map(SIZES.map((size) => [`f${size}`, randomBytes(size)]));
/** More than 65535 blocks of 8 bytes. */
contents.set("many", randomBytes(65_540 * 8 + 3));
let directory = "";
let server: TftpServer;
const events: PxeEventBody[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-tftp-"));
  const files = new Map<string, VirtualFile>();
  for (const [name, bytes] of contents) {
    const path = join(directory, `served-${name}`);
    await writeFile(path, bytes);
    files.set(name, { kind: "path", path });
  }
  files.set("text", { kind: "bytes", bytes: Buffer.from("a\nb\rc\r\n") });
  files.set("deep/er", { kind: "made", make: ({ via, client }) => `${via} ${client}`, role: "script" });
  files.set("gone", { kind: "path", path: join(directory, "not-there") });
  server = await startTftpServer({
    address: "127.0.0.1",
    port: 0,
    files,
    sessionsPerClient: 4,
    onEvent: (event) => events.push(event),
  });
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(5);
}

interface Conversation {
  send(packet: TftpPacket, port?: number): void;
  next(): Promise<{ packet: TftpPacket; port: number }>;
  close(): void;
}

/** A client of our own, for what the others cannot do. */
function converse(): Conversation {
  const socket = createSocket("udp4");
  const queue: { packet: TftpPacket; port: number }[] = [];
  let wake = (): void => undefined;
  socket.on("message", (bytes, from) => {
    const parsed = parseTftp(bytes);
    if (parsed.ok) queue.push({ packet: parsed.value, port: from.port });
    wake();
  });
  return {
    send: (packet, port = server.port) => socket.send(encodeTftp(packet), port, "127.0.0.1"),
    async next() {
      while (queue.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return queue.shift() as { packet: TftpPacket; port: number };
    },
    close: () => void setImmediate(() => socket.close()), // `send` sends in a later tick
  };
}

const read = (file: string, options: Record<string, string> = {}, mode = "octet"): TftpPacket => ({
  kind: "read",
  file,
  mode,
  options: new Map(Object.entries(options)),
});

/** Fetch with a window; the server's port must stay the same and never be 69's stand-in. */
async function fetchWindowed(file: string, options: Record<string, string>): Promise<Buffer> {
  const client = converse();
  client.send(read(file, options));
  const first = await client.next();
  expect(first.port).not.toBe(server.port);
  if (first.packet.kind !== "oack") throw new Error(JSON.stringify(first.packet));
  const blksize = Number(first.packet.options.get("blksize") ?? 512);
  const windowsize = Number(first.packet.options.get("windowsize") ?? 1);
  client.send({ kind: "ack", block: 0 }, first.port);
  const parts: Uint8Array[] = [];
  for (let inWindow = 0; ;) {
    const { packet, port } = await client.next();
    if (packet.kind !== "data") throw new Error(JSON.stringify(packet));
    if (packet.block !== ((parts.length + 1) & 0xffff)) continue;
    parts.push(packet.bytes);
    const done = packet.bytes.length < blksize;
    if (++inWindow === windowsize || done) {
      inWindow = 0;
      client.send({ kind: "ack", block: packet.block }, port);
    }
    if (done) break;
  }
  client.close();
  return Buffer.concat(parts);
}

describe("with a client of our own", () => {
  test.each([1, 4, 16, 64])("windowsize %i", async (windowsize) => {
    const got = await fetchWindowed("f3000000", { blksize: "1468", windowsize: String(windowsize) });
    expect(got.equals(contents.get("f3000000") ?? Buffer.alloc(0))).toBe(true);
  });
  test("65535 is followed by block 0", async () => {
    const got = await fetchWindowed("many", { blksize: "8", windowsize: "64" });
    expect(got.equals(contents.get("many") ?? Buffer.alloc(0))).toBe(true);
  });
  test("a stranger on the transfer's port gets ERROR 5, and the transfer goes on", async () => {
    const [client, stranger] = [converse(), converse()];
    client.send(read("f1", { blksize: "100" }));
    const { port } = await client.next();
    stranger.send({ kind: "ack", block: 0 }, port);
    expect((await stranger.next()).packet).toMatchObject({ kind: "error", code: 5 });
    client.send({ kind: "ack", block: 0 }, port);
    expect((await client.next()).packet).toMatchObject({ kind: "data", block: 1 });
    client.send({ kind: "ack", block: 1 }, port);
    for (const one of [client, stranger]) one.close();
  });
  test.each([
    ["../../etc/passwd", 2],
    ["..\\..\\etc\\passwd", 2],
    ["deep/../../etc/passwd", 2],
    ["/etc/passwd", 1],
    ["deep", 1],
  ])("%s is refused with error %i", async (file, code) => {
    const client = converse();
    client.send(read(file));
    expect((await client.next()).packet).toMatchObject({ kind: "error", code });
    client.close();
  });
  test.each(["deep/er", "/deep/er", "\\deep\\er"])("%s is made for its client", async (file) => {
    const client = converse();
    client.send(read(file));
    const { packet, port } = await client.next();
    client.send({ kind: "ack", block: 1 }, port);
    expect(packet.kind === "data" && Buffer.from(packet.bytes).toString()).toBe("tftp 127.0.0.1");
    client.close();
  });
  test("netascii: LF as CR LF, CR as CR NUL, and no tsize", async () => {
    const client = converse();
    client.send(read("text", { tsize: "0", blksize: "512" }, "NetASCII"));
    const { packet, port } = await client.next();
    expect(packet.kind === "oack" && [...packet.options]).toEqual([["blksize", "512"]]);
    client.send({ kind: "ack", block: 0 }, port);
    const data = (await client.next()).packet;
    client.send({ kind: "ack", block: 1 }, port);
    expect(data.kind === "data" && Buffer.from(data.bytes).toString()).toBe("a\r\nb\r\0c\r\0\r\n");
    expect(toNetascii(Buffer.from("\n"))).toEqual(Uint8Array.of(13, 10));
    client.close();
  });
  test("a lost ACK is made up for by a repeated block", async () => {
    const client = converse();
    client.send(read("f513"));
    await client.next();
    const again = await client.next();
    expect(again.packet).toMatchObject({ kind: "data", block: 1 });
    client.send({ kind: "error", code: 0, message: "enough" }, again.port);
    client.close();
  });
  test("a server that was busy hears what has come before it repeats anything", async () => {
    const client = converse();
    client.send(read("f1469", { blksize: "1468" }));
    const { port } = await client.next();
    client.send({ kind: "ack", block: 0 }, port);
    await client.next();
    // The answer goes out, and for longer than any timer nobody looks at sockets.
    client.send({ kind: "ack", block: 1 }, port);
    const busy = performance.now() + 400;
    while (performance.now() < busy);
    expect((await client.next()).packet).toMatchObject({ kind: "data", block: 2 });
    client.send({ kind: "ack", block: 2 }, port);
    const own = () => events.filter((event) => event.kind === "tftp" && event.file === "f1469");
    await until(() => own().length > 0);
    expect(own()).toMatchObject([{ outcome: "complete", retransmissions: 0 }]);
    client.close();
  });
  test("the size probe of firmware is an event of its own, and its port can be used again", async () => {
    events.length = 0;
    const client = converse();
    for (let round = 0; round < 2; round++) {
      client.send(read("f513", { tsize: "0" }));
      const { packet, port } = await client.next();
      expect(packet.kind === "oack" && packet.options.get("tsize")).toBe("513");
      client.send({ kind: "error", code: 0, message: "size known" }, port);
      await until(
        () => events.filter((event) => event.kind === "tftp" && event.outcome === "probe").length > round,
      );
    }
    client.close();
    expect(events.filter((event) => event.kind === "tftp" && event.outcome === "probe")).toHaveLength(2);
  });
  test("a client has at most so many transfers at a time", async () => {
    const clients = Array.from({ length: 5 }, () => converse());
    for (const client of clients) client.send(read("f513"));
    const answers = await Promise.all(clients.map((client) => client.next()));
    expect(answers.filter(({ packet }) => packet.kind === "error")).toHaveLength(1);
    for (const [index, client] of clients.entries()) {
      client.send({ kind: "error", code: 0, message: "" }, answers[index]?.port);
      client.close();
    }
  });
  test("a file that cannot be opened is an error, not a silence", async () => {
    const client = converse();
    client.send(read("gone"));
    expect((await client.next()).packet).toMatchObject({ kind: "error", code: 0 });
    client.close();
  });
});

describe("what comes from everywhere", () => {
  test("a request to the broadcast address is not answered, and the next one to ours is", async () => {
    const socket = createSocket("udp4");
    const witness = createSocket("udp4");
    witness.bind({ address: "0.0.0.0" });
    await once(witness, "listening");
    const seen: Buffer[] = [];
    socket.on("message", (bytes) => seen.push(bytes));
    socket.bind({ address: "127.0.0.1" }, () => socket.setBroadcast(true));
    await once(socket, "listening");
    const heard = once(witness, "message");
    socket.send(encodeTftp(read("f1")), server.port, "127.255.255.255");
    // Broadcasts do reach this machine: somebody who listens to them has them.
    socket.send(encodeTftp(read("f1")), witness.address().port, "127.255.255.255");
    await heard;
    socket.send(encodeTftp(read("nothing")), server.port, "127.0.0.1");
    await once(socket, "message");
    await delay(50);
    expect(seen.map((bytes) => parseTftp(bytes))).toMatchObject([{ value: { kind: "error", code: 1 } }]);
    for (const one of [socket, witness]) one.close();
  });
  test("a flood of requests from one address does not stop a transfer to another", async () => {
    const flood = createSocket("udp4");
    flood.bind({ address: "127.0.0.2" });
    await once(flood, "listening");
    events.length = 0;
    let sent = 0;
    let over = false;
    const pour = (): void => {
      if (over) return;
      for (let count = 0; count < 50; count++) {
        const request = count % 2 === 0 ? read("f3000000") : ({ ...read("x"), kind: "write" } as TftpPacket);
        flood.send(encodeTftp(request), server.port, "127.0.0.1");
        sent++;
      }
      setImmediate(pour);
    };
    pour();
    const got = await fetchWindowed("f3000000", { blksize: "1468", windowsize: "4" });
    over = true;
    expect(got.equals(contents.get("f3000000") ?? Buffer.alloc(0))).toBe(true);
    expect(sent).toBeGreaterThan(500);
    // One line for writes, one for too many transfers; no more.
    expect(
      events.filter((event) => event.kind === "tftp" && event.client === "127.0.0.2").length,
    ).toBeLessThan(5);
    flood.close();
  });
});

test("every address at once is refused: answers must come from the one that was asked", async () => {
  await expect(startTftpServer({ address: "0.0.0.0", port: 0, files: new Map() })).rejects.toMatchObject({
    code: "PXE_ADDRESS_INVALID",
  });
});

test("closing ends transfers that are under way", async () => {
  const own = await startTftpServer({
    address: "127.0.0.1",
    port: 0,
    files: new Map([["x", { kind: "bytes", bytes: new Uint8Array(9999) }]]),
  });
  const socket = createSocket("udp4");
  socket.send(encodeTftp(read("x")), own.port, "127.0.0.1");
  await once(socket, "message");
  await own.close();
  socket.close();
});
