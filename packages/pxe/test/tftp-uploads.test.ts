import { link, lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openUploads, type TftpPacket, type TftpUploads } from "../src/index.ts";
import { content } from "./simulator/content.ts";
import { data, errorPacket, wire, writeRequest } from "./tftp/wire.ts";

let directory = "";
let root = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-uploads-"));
  root = join(directory, "root");
  await mkdir(root);
});
const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((service) => service.close()));
  await rm(directory, { recursive: true });
});

/** A server with an upload root, and clients that write to it. */
async function server(uploads: Omit<TftpUploads, "root"> = {}) {
  const one = wire({ files: new Map(), uploads: await openUploads({ root, ...uploads }) });
  opened.push(one.service);
  let next = 3000;
  return {
    ...one,
    begin(name: string, options: Record<string, string> = {}) {
      const client = { address: "10.77.0.50", port: next++ };
      return one.ask(client, 69, writeRequest(name, options)).then((said) => ({ client, ...said }));
    },
    /** Store a file in lock-step; the last thing that the server says: an ACK, or the ERROR that stops it. */
    async put(name: string, bytes: Uint8Array): Promise<TftpPacket> {
      let { client, port, packet } = await this.begin(name);
      for (let block = 1; packet.kind !== "error"; block++) {
        const piece = bytes.subarray((block - 1) * 512, block * 512);
        ({ packet } = await one.ask(client, port, data(block, piece)));
        if (piece.length < 512) break;
      }
      return packet;
    },
    /** Until files are closed. */
    async idle(): Promise<void> {
      while (one.service.sessions > 0) await one.wait(1000);
      await one.service.close();
      await delay(20);
    },
  };
}

describe("a file that is stored", () => {
  test("is there, whole, under its name, before its last block is confirmed", async () => {
    const one = await server();
    expect(await one.put("x", content(3000))).toEqual({ kind: "ack", block: 6 });
    expect((await readFile(join(root, "x"))).equals(content(3000))).toBe(true);
  });
  test("is reported as an upload, for its owner and group alone, and nothing is left beside it", async () => {
    const one = await server();
    await one.put("result.tar", content(3000));
    expect(one.events).toMatchObject([
      { kind: "tftp", upload: true, outcome: "complete", bytes: 3000, file: "result.tar" },
    ]);
    expect(await readdir(root)).toEqual(["result.tar"]);
    expect((await lstat(join(root, "result.tar"))).mode & 0o777).toBe(0o640);
  });
  test("an empty one, and one whose last block is empty", async () => {
    const one = await server();
    expect(await one.put("empty", content(0))).toEqual({ kind: "ack", block: 1 });
    expect(await one.put("full", content(1024))).toEqual({ kind: "ack", block: 3 });
    expect((await lstat(join(root, "empty"))).size).toBe(0);
    expect((await readFile(join(root, "full"))).equals(content(1024))).toBe(true);
  });
  test("its last block, when it comes again, is confirmed again for three seconds", async () => {
    const one = await server();
    const { client, port } = await one.begin("x");
    await one.ask(client, port, data(1, content(5)));
    expect(await one.ask(client, port, data(1, content(5)))).toMatchObject({
      packet: { kind: "ack", block: 1 },
    });
    await one.wait(3001);
    expect(await one.say(client, port, data(1, content(5)))).toEqual([]);
    expect(one.service.sessions).toBe(0);
  });
  test("options are agreed on: tsize is echoed, sizes are clamped", async () => {
    const one = await server();
    const { packet } = await one.begin("x", { tsize: "3000", blksize: "65464", windowsize: "100" });
    expect(packet).toMatchObject({
      kind: "oack",
      options: new Map([
        ["tsize", "3000"],
        ["blksize", "1468"],
        ["windowsize", "64"],
      ]),
    });
  });
});

describe("what is never overwritten", () => {
  test("a file that is there: ERROR 6, before anything is sent", async () => {
    await writeFile(join(root, "x"), "old");
    const one = await server();
    expect((await one.begin("x")).packet).toMatchObject({ kind: "error", code: 6 });
    expect(await readFile(join(root, "x"), "utf8")).toBe("old");
  });
  test("a file that came while the upload ran", async () => {
    const one = await server();
    const { client, port } = await one.begin("x");
    await writeFile(join(root, "x"), "old");
    expect((await one.ask(client, port, data(1, content(5)))).packet).toMatchObject({
      kind: "error",
      code: 6,
    });
    expect(await readFile(join(root, "x"), "utf8")).toBe("old");
    await one.idle();
    expect(await readdir(root)).toEqual(["x"]);
  });
  test("two clients write the same name: the first to end has it", async () => {
    const one = await server();
    const [a, b] = [await one.begin("x"), await one.begin("x")];
    expect((await one.ask(b.client, b.port, data(1, content(7)))).packet).toMatchObject({ kind: "ack" });
    expect((await one.ask(a.client, a.port, data(1, content(5)))).packet).toMatchObject({
      kind: "error",
      code: 6,
    });
    expect((await readFile(join(root, "x"))).length).toBe(7);
  });
  test("a symbolic link, also one that leads nowhere, and what it points to", async () => {
    const outside = join(directory, "outside");
    await symlink(outside, join(root, "x"));
    const one = await server();
    expect((await one.begin("x")).packet).toMatchObject({ kind: "error", code: 6 });
    await writeFile(outside, "precious");
    expect((await one.begin("x")).packet).toMatchObject({ kind: "error", code: 6 });
    expect(await readFile(outside, "utf8")).toBe("precious");
  });
  test("a hard link's other name", async () => {
    const outside = join(directory, "outside");
    await writeFile(outside, "precious");
    await link(outside, join(root, "x"));
    const one = await server();
    expect((await one.begin("x")).packet).toMatchObject({ kind: "error", code: 6 });
    expect(await readFile(outside, "utf8")).toBe("precious");
  });
});

test.each([
  "../x",
  "a/../../x",
  "/etc/x",
  "/x",
  "a/b",
  "..",
  ".",
  ".hidden",
  ".part-0000000000000000",
  "-rf",
  "..\\x",
  "\\x",
  "C:\\x",
  "%2e%2e%2fx",
  "%252e%252e%252fx",
  "x\u0001",
  "x\n",
  "x y",
  "\u00e9",
  "$(reboot)",
  "x;y",
  "`x`",
  "y".repeat(201),
])("the name %j is refused with ERROR 2, and nothing is written", async (name) => {
  const one = await server();
  expect((await one.begin(name)).packet).toMatchObject({ kind: "error", code: 2 });
  expect(await readdir(root)).toEqual([]);
  expect(await readdir(directory)).toEqual(["root"]);
});

test("a NUL ends a name: what follows it is the mode", async () => {
  const one = await server();
  const bytes = Buffer.from("\0\u0002x\0../y\0octet\0", "latin1");
  expect(await one.say({ address: "10.77.0.50", port: 1 }, 69, bytes)).toMatchObject([
    { packet: { kind: "error", code: 4 } },
  ]);
  expect(await readdir(root)).toEqual([]);
});

describe("quotas", () => {
  test("a file that is announced as too large is refused at once with ERROR 3", async () => {
    const one = await server({ bytes: 1000 });
    expect((await one.begin("x", { tsize: "1001" })).packet).toMatchObject({ kind: "error", code: 3 });
    expect((await one.begin("x", { tsize: "1000" })).packet).toMatchObject({ kind: "oack" });
  });
  test("one that is not announced is stopped, leaves nothing, and its room can be used", async () => {
    const one = await server({ bytes: 1000 });
    expect(await one.put("large", content(3000))).toMatchObject({ kind: "error", code: 3 });
    while (one.service.sessions > 0) await delay(1);
    expect(await one.put("small", content(900))).toEqual({ kind: "ack", block: 2 });
    expect(await readdir(root)).toEqual(["small"]);
    expect(await one.put("next", content(101))).toMatchObject({ kind: "error", code: 3 });
  });
  test("many clients together do not get more than there is", async () => {
    const one = await server({ bytes: 1200 });
    const clients = [await one.begin("a"), await one.begin("b"), await one.begin("c")];
    const ends = [];
    for (const { client, port } of clients)
      ends.push((await one.ask(client, port, data(1, content(500)))).packet.kind);
    expect(ends).toEqual(["ack", "ack", "error"]);
  });
  test("files are counted, those that are there already too", async () => {
    await writeFile(join(root, "old"), "old");
    const one = await server({ files: 2, bytes: 1000 });
    expect(await one.put("x", content(5))).toMatchObject({ kind: "ack" });
    expect((await one.begin("y")).packet).toMatchObject({ kind: "error", code: 3 });
  });
});

describe("an upload that does not end", () => {
  test.each(["an ERROR of the client", "silence"])("%s leaves nothing", async (how) => {
    const one = await server();
    const { client, port } = await one.begin("x");
    await one.ask(client, port, data(1, content(512)));
    if (how === "silence") await one.wait(30_000);
    else await one.say(client, port, errorPacket(0, "stop"));
    await one.idle();
    expect(await readdir(root)).toEqual([]);
    expect(one.events).toMatchObject([
      { upload: true, outcome: how === "silence" ? "failed" : "refused", bytes: 512 },
    ]);
  });
  test("what a crash left incomplete is removed at the next start", async () => {
    await writeFile(join(root, ".part-0123456789abcdef"), "half");
    await server();
    expect(await readdir(root)).toEqual([]);
  });
  test("blocks that come without waiting for an answer cost no memory: beyond two windows they are lost", async () => {
    const one = await server();
    const { client, port } = await one.begin("x");
    const before = one.said.length;
    // All before the disk has its first turn.
    const all = Array.from({ length: 100 }, (_, index) =>
      one.say(client, port, data(index + 1, content(512))),
    );
    await Promise.all(all);
    await one.idle();
    const highest = one.said
      .slice(before)
      .flatMap(({ packet }) => (packet.kind === "ack" ? [packet.block] : []));
    expect(Math.max(...highest)).toBeLessThan(100);
  });
});

test("a root that is not there is an error that says so", async () => {
  await expect(openUploads({ root: join(directory, "none") })).rejects.toMatchObject({
    code: "PXE_UPLOADS_INVALID",
    hint: expect.stringContaining("directory"),
  });
});
