/** The server as a client sees it, on a wire in virtual time. */
import { describe, expect, test } from "vitest";
import type { TftpPeer, VirtualFile } from "../src/index.ts";
import { content } from "./simulator/content.ts";
import { ack, data, errorPacket, readRequest, wire, writeRequest } from "./tftp/wire.ts";

const CLIENT: TftpPeer = { address: "10.77.0.50", port: 2000 };
const OTHER: TftpPeer = { address: "10.77.0.51", port: 2000 };
const files = new Map<string, VirtualFile>([
  ["file", { kind: "bytes", bytes: content(5000) }],
  ["deep/er", { kind: "bytes", bytes: content(10) }],
]);
const kinds = (said: readonly { packet: { kind: string } }[]): string[] =>
  said.map(({ packet }) => packet.kind);

describe("ports (RFC 1350 section 4)", () => {
  test("each transfer answers from a port of its own", async () => {
    const server = wire({ files });
    const [one] = await server.say(CLIENT, 69, readRequest("file"));
    const [two] = await server.say(OTHER, 69, readRequest("file"));
    expect(new Set([69, one?.port, two?.port]).size).toBe(3);
  });
  test("with a single port all answers come from it, and clients are told apart by address and port", async () => {
    const server = wire({ files, singlePort: true });
    const clients = [CLIENT, OTHER, { ...CLIENT, port: 2001 }];
    for (const client of clients) {
      const [first] = await server.say(client, 69, readRequest("file"));
      expect(first).toMatchObject({ port: 69, to: client, packet: { kind: "data", block: 1 } });
    }
    const [next] = await server.say(OTHER, 69, ack(1));
    expect(next).toMatchObject({ to: OTHER, packet: { block: 2 } });
    // Nobody's ACK is nobody's business.
    expect(await server.say({ ...OTHER, port: 9 }, 69, ack(1))).toEqual([]);
  });
  test("a stranger on a transfer's port gets ERROR 5, and the transfer goes on; a stranger's ERROR gets nothing", async () => {
    const server = wire({ files });
    const [first] = await server.say(CLIENT, 69, readRequest("file"));
    const port = first?.port ?? 0;
    const [told] = await server.say(OTHER, port, ack(1));
    expect(told).toMatchObject({ port, to: OTHER, packet: { kind: "error", code: 5 } });
    expect(await server.say(OTHER, port, errorPacket(5))).toEqual([]);
    expect(await server.say(CLIENT, port, ack(1))).toMatchObject([{ packet: { kind: "data", block: 2 } }]);
  });
  test("after its end a transfer's port is closed", async () => {
    const server = wire({ files });
    const [first] = await server.say(CLIENT, 69, readRequest("deep/er"));
    await server.say(CLIENT, first?.port ?? 0, ack(1));
    expect(server.service.sessions).toBe(0);
    expect(await server.say(CLIENT, first?.port ?? 0, ack(1))).toEqual([]);
  });
});

describe("requests that come again", () => {
  test("the same request before an answer was heard: one transfer, and its timer repeats", async () => {
    const server = wire({ files });
    const first = await server.say(CLIENT, 69, readRequest("file", { blksize: "1468" }));
    expect(await server.say(CLIENT, 69, readRequest("file", { blksize: "1468" }))).toEqual([]);
    expect(await server.wait(300)).toMatchObject([{ packet: { kind: "oack" }, port: first[0]?.port }]);
  });
  test.each([false, true])(
    "doubled by the network it does not disturb its transfer (single port: %s)",
    async (singlePort) => {
      const server = wire({ files, singlePort });
      const [first] = await server.say(CLIENT, 69, readRequest("file"));
      const port = first?.port ?? 0;
      await server.say(CLIENT, port, ack(1));
      expect(await server.say(CLIENT, 69, readRequest("file"))).toEqual([]);
      expect(await server.say(CLIENT, port, ack(2))).toMatchObject([{ packet: { block: 3 } }]);
    },
  );
  test.each([false, true])(
    "after a silence it is a client that began anew (single port: %s)",
    async (singlePort) => {
      const server = wire({ files, singlePort });
      const [first] = await server.say(CLIENT, 69, readRequest("file"));
      await server.say(CLIENT, first?.port ?? 0, ack(1));
      await server.wait(2000);
      // No ERROR to the old transfer: with a single port the new one would take it as its own.
      expect(await server.say(CLIENT, 69, readRequest("file"))).toMatchObject([
        { packet: { kind: "data", block: 1 } },
      ]);
      expect(server.service.sessions).toBe(1);
      expect(server.events).toMatchObject([{ outcome: "failed", detail: "the client began anew" }]);
    },
  );
  test("another request from the same port takes the place of the first at once", async () => {
    const server = wire({ files });
    await server.say(CLIENT, 69, readRequest("file", { tsize: "0" }));
    const [next] = await server.say(CLIENT, 69, readRequest("file", { tsize: "0", blksize: "1468" }));
    expect(next?.packet).toMatchObject({ kind: "oack" });
    expect(server.service.sessions).toBe(1);
  });
});

describe("what firmware does", () => {
  test.each([0, 8])(
    "hanging up after the size probe with ERROR %i is an event of its own, no failure",
    async (code) => {
      const server = wire({ files });
      const [asked] = await server.say(
        CLIENT,
        69,
        readRequest("file", { tsize: "0", blksize: "1468", windowsize: "4" }),
      );
      expect(asked?.packet).toMatchObject({
        kind: "oack",
        options: new Map([
          ["tsize", "5000"],
          ["blksize", "1468"],
          ["windowsize", "4"],
        ]),
      });
      await server.say(CLIENT, asked?.port ?? 0, errorPacket(code, "User aborted the transfer"));
      expect(server.events).toMatchObject([{ kind: "tftp", outcome: "probe" }]);
      expect(server.service.sessions).toBe(0);
    },
  );
  test("ERROR 8 of a client that did not ask for the size ends the transfer as refused", async () => {
    const server = wire({ files });
    const [asked] = await server.say(CLIENT, 69, readRequest("file", { blksize: "1468" }));
    await server.say(CLIENT, asked?.port ?? 0, errorPacket(8, "no"));
    expect(server.events).toMatchObject([{ outcome: "refused", detail: 'error 8 from the client: "no"' }]);
  });
  test.each(["file", "/file", "\\file", "//file", "./file", "/./file"])("%s is found", async (name) => {
    expect(await wire({ files }).say(CLIENT, 69, readRequest(name))).toMatchObject([
      { packet: { kind: "data" } },
    ]);
  });
  test("modes and option names in any case", async () => {
    const server = wire({ files });
    const bytes = Buffer.from(`\0\u0001${["file", "OcTeT", "BLKSIZE", "1000", ""].join("\0")}`, "latin1");
    expect(await server.say(CLIENT, 69, bytes)).toMatchObject([
      { packet: { options: new Map([["blksize", "1000"]]) } },
    ]);
  });
  test.each(["mail", "x"])("the mode %s is refused with ERROR 4", async (mode) => {
    const said = await wire({ files }).say(CLIENT, 69, readRequest("file", {}, mode));
    expect(said).toMatchObject([{ packet: { kind: "error", code: 4 } }]);
  });
});

/** Ways out of a directory, if there were one. */
const TRAVERSAL = [
  "../etc/passwd",
  "deep/../../etc/passwd",
  "..",
  "..\\..\\etc\\passwd",
  "deep\\..\\..\\etc\\passwd",
  "/../etc/passwd",
  "....//....//etc/passwd",
  "%2e%2e/%2e%2e/etc/passwd",
  "%252e%252e%252fetc%252fpasswd",
  "..%2f..%2fetc%2fpasswd",
  "..%c0%af..%c0%afetc/passwd",
  "\u00c0\u00ae\u00c0\u00ae/etc/passwd",
  "/etc/passwd",
  "//etc/passwd",
  "C:\\Windows\\win.ini",
  "\\\\host\\share\\file",
  "file\\..\\file",
  "/proc/self/environ",
  "deep",
  ".",
  "/",
];

describe("names that lead elsewhere", () => {
  test.each(TRAVERSAL)("reading %j: ERROR 1 or 2", async (name) => {
    const said = await wire({ files }).say(CLIENT, 69, readRequest(name));
    expect(kinds(said)).toEqual(["error"]);
    expect(said[0]?.packet.kind === "error" && [1, 2].includes(said[0].packet.code)).toBe(true);
  });
  test("what follows a NUL is the mode, so a NUL ends a name", async () => {
    const server = wire({ files });
    // "file" with the mode "../etc/passwd".
    const bytes = Buffer.from("\0\u0001file\0../etc/passwd\0octet\0", "latin1");
    expect(await server.say(CLIENT, 69, bytes)).toMatchObject([{ packet: { kind: "error", code: 4 } }]);
  });
  test("a name of 64 KB and one without an end are not answered", async () => {
    const server = wire({ files });
    expect(await server.say(CLIENT, 69, readRequest("f".repeat(65_000)))).toEqual([]);
    expect(await server.say(CLIENT, 69, Buffer.from("\0\u0001file", "latin1"))).toEqual([]);
    expect(await server.say(CLIENT, 69, Buffer.from("\0\u0001", "latin1"))).toEqual([]);
    expect(server.service.sessions).toBe(0);
  });
});

describe("writes without an upload root", () => {
  test("are refused with ERROR 2 and written once, whatever is tried; reading goes on", async () => {
    const server = wire({ files });
    for (let round = 0; round < 50; round++) {
      const said = await server.say({ ...CLIENT, port: 3000 + round }, 69, writeRequest("x"));
      expect(said).toMatchObject([{ packet: { kind: "error", code: 2 }, port: 69 }]);
    }
    expect(server.events).toMatchObject([
      { outcome: "refused", file: "x", detail: "This server takes no files" },
    ]);
    expect(await server.say(CLIENT, 69, readRequest("file"))).toMatchObject([{ packet: { kind: "data" } }]);
  });
  test("DATA into a read transfer ends it with ERROR 4", async () => {
    const server = wire({ files });
    const [first] = await server.say(CLIENT, 69, readRequest("file"));
    const said = await server.say(CLIENT, first?.port ?? 0, data(1, new Uint8Array(5)));
    expect(said).toMatchObject([{ packet: { kind: "error", code: 4 } }]);
  });
});

describe("floods", () => {
  test("one address has 16 transfers at a time and is told so; others are served", async () => {
    const server = wire({ files });
    for (let port = 0; port < 100; port++) {
      const said = await server.say({ ...CLIENT, port: 3000 + port }, 69, readRequest("file"));
      expect(kinds(said)).toEqual([port < 16 ? "data" : "error"]);
    }
    expect(server.service.sessions).toBe(16);
    expect(await server.say(OTHER, 69, readRequest("file"))).toMatchObject([{ packet: { kind: "data" } }]);
    expect(server.events).toMatchObject([{ outcome: "refused", detail: "Too many transfers, try again" }]);
  });
  test("a transfer that has ended makes room", async () => {
    const server = wire({ files, sessionsPerClient: 1 });
    const [first] = await server.say(CLIENT, 69, readRequest("deep/er"));
    const next = { ...CLIENT, port: 2001 };
    expect(kinds(await server.say(next, 69, readRequest("file")))).toEqual(["error"]);
    await server.say(CLIENT, first?.port ?? 0, ack(1));
    expect(kinds(await server.say(next, 69, readRequest("file")))).toEqual(["data"]);
  });
  test("forged addresses fill the table, but a transfer that somebody confirmed keeps its place, and so finds the next client", async () => {
    const server = wire({ files, sessions: 32 });
    const [first] = await server.say(CLIENT, 69, readRequest("file"));
    await server.say(CLIENT, first?.port ?? 0, ack(1));
    for (let host = 0; host < 1000; host++) {
      await server.say({ address: `10.78.${host >> 8}.${host & 255}`, port: 9 }, 69, readRequest("file"));
      expect(server.service.sessions).toBeLessThanOrEqual(32);
    }
    // Those who made way are written of, but not without end.
    expect(server.events.length).toBeGreaterThan(400);
    expect(server.events.length).toBeLessThanOrEqual(500);
    expect(await server.say(CLIENT, first?.port ?? 0, ack(2))).toMatchObject([{ packet: { block: 3 } }]);
    expect(kinds(await server.say(OTHER, 69, readRequest("file")))).toEqual(["data"]);
  });
  test("a table full of real transfers refuses the next client, politely", async () => {
    const server = wire({ files, sessions: 3 });
    for (let host = 1; host <= 3; host++) {
      const client = { address: `10.77.1.${host}`, port: 1 };
      const [first] = await server.say(client, 69, readRequest("file"));
      await server.say(client, first?.port ?? 0, ack(1));
    }
    expect(await server.say(CLIENT, 69, readRequest("file"))).toMatchObject([
      { packet: { kind: "error", code: 0 } },
    ]);
  });
  test("refusals are written once a minute and client, 32 different ones at most, then counted", async () => {
    const server = wire({ files });
    for (let round = 0; round < 200; round++) {
      await server.say({ ...CLIENT, port: 3000 + round }, 69, readRequest(`none${round % 100}`));
    }
    await server.say(OTHER, 69, readRequest("none"));
    expect(server.events).toHaveLength(33);
    await server.wait(60_000);
    await server.say(CLIENT, 69, readRequest("none"));
    expect(server.events.at(-1)).toMatchObject({
      detail: "File not found (168 more of this client were not written)",
    });
  });
  test("a client of another network is not answered at all", async () => {
    const server = wire({ files, accepts: (address) => address.startsWith("10.77.") });
    expect(await server.say({ address: "192.0.2.1", port: 9 }, 69, readRequest("file"))).toEqual([]);
    expect(server.events).toEqual([]);
  });
  test("a forged request costs its victim one small OACK and four more, and an ERROR", async () => {
    const server = wire({ files });
    await server.say(CLIENT, 69, readRequest("file", { blksize: "1468", windowsize: "64" }));
    await server.wait(60_000);
    expect(kinds(server.said)).toEqual([...Array.from({ length: 5 }, () => "oack"), "error"]);
    expect(server.service.sessions).toBe(0);
  });
});

test("closing tells the clients under way, and nothing is said after it", async () => {
  const server = wire({ files });
  await server.say(CLIENT, 69, readRequest("file"));
  const before = server.said.length;
  await server.service.close();
  expect(kinds(server.said.slice(before))).toEqual(["error"]);
  expect(await server.say(OTHER, 69, readRequest("file"))).toEqual([]);
  expect(await server.wait(60_000)).toEqual([]);
});
