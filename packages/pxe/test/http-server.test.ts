import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  parseRange,
  startHttpServer,
  type HttpServer,
  type PxeEventBody,
  type VirtualFile,
} from "../src/index.ts";

const run = promisify(execFile);
const BIG = randomBytes(5_000_001);
let directory = "";
let server: HttpServer;
let base = "";
const events: PxeEventBody[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-http-"));
  const path = join(directory, "big");
  await writeFile(path, BIG);
  const files = new Map<string, VirtualFile>([
    ["kernel", { kind: "path", path, role: "kernel" }],
    ["empty", { kind: "bytes", bytes: new Uint8Array() }],
    [
      "boot.ipxe",
      { kind: "made", make: ({ via, client }) => `#!ipxe\n# ${via} ${client}\n`, role: "script" },
    ],
    ["gone", { kind: "path", path: join(directory, "not-there") }],
  ]);
  server = await startHttpServer({
    address: "127.0.0.1",
    port: 0,
    files,
    onEvent: (event) => events.push(event),
  });
  base = `http://127.0.0.1:${server.port}`;
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

async function curl(...args: string[]): Promise<Buffer> {
  const { stdout } = await run("curl", ["-sS", ...args], { encoding: "buffer", maxBuffer: 1 << 24 });
  return stdout;
}

describe("against curl", () => {
  test("a whole file", async () => expect((await curl(`${base}/kernel`)).equals(BIG)).toBe(true));
  test.each([
    ["0-0", 0, 1],
    ["100-", 100, BIG.length],
    ["-100", BIG.length - 100, BIG.length],
    ["262143-524289", 262_143, 524_290],
    ["4999990-9999999", 4_999_990, BIG.length],
  ])("the range %s", async (range, start, end) => {
    expect((await curl("-r", range, `${base}/kernel`)).equals(BIG.subarray(start, end))).toBe(true);
  });
  test("a download that is continued", async () => {
    const out = join(directory, "half");
    await writeFile(out, BIG.subarray(0, 1_234_567));
    await curl("-C", "-", "-o", out, `${base}/kernel`);
    expect((await run("cmp", [out, join(directory, "big")])).stdout).toBe("");
  });
  test("ranges that begin and end within pieces of the file, several at a time", async () => {
    const at = [0, 1, 524_287, 524_288, 524_289, 1_048_575, 3_000_000, BIG.length - 1];
    const ranges = at.flatMap((start) =>
      at.filter((end) => end >= start).map((end) => [start, end] as const),
    );
    const wrong = await Promise.all(
      ranges.map(async ([start, end]) => {
        const answer = await fetch(`${base}/kernel`, { headers: { range: `bytes=${start}-${end}` } });
        const bytes = Buffer.from(await answer.arrayBuffer());
        return bytes.equals(BIG.subarray(start, end + 1)) ? [] : [`${start}-${end}`];
      }),
    );
    expect(wrong.flat()).toEqual([]);
  });

  test("a file that was written anew is sent as it is now", async () => {
    const path = join(directory, "changing");
    const files = new Map<string, VirtualFile>([["file", { kind: "path", path }]]);
    await using other = await startHttpServer({ address: "127.0.0.1", port: 0, files });
    for (const letter of ["a", "b"]) {
      await writeFile(path, letter.repeat(1_000_000));
      const text = await (await fetch(`http://127.0.0.1:${other.port}/file`)).text();
      expect(text === letter.repeat(1_000_000)).toBe(true);
    }
  });

  test("HEAD gives the exact length and no body; an empty file has length 0", async () => {
    const head = (await curl("-I", `${base}/kernel`)).toString();
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).toMatch(/content-length: 5000001\r\n/i);
    expect(head).toMatch(/accept-ranges: bytes\r\n/i);
    expect((await curl("-i", `${base}/empty`)).toString()).toMatch(/content-length: 0\r\n/i);
  });

  test("RFC 9110 14.2: only GET has ranges, and 13.1.5: none where a validator is asked for that no file has", async () => {
    const head = (await curl("-I", "-r", "0-9", `${base}/kernel`)).toString();
    expect(head).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    expect(head).toMatch(/content-length: 5000001\r\n/i);
    const beyond = (await curl("-I", "-r", "5000001-", `${base}/kernel`)).toString();
    expect(beyond).toMatch(/^HTTP\/1.1 200 OK\r\n/);
    const whole = await curl("-r", "0-9", "-H", 'If-Range: "yesterday"', `${base}/kernel`);
    expect(whole.equals(BIG)).toBe(true);
  });

  test("RFC 9112 3.2.2: a whole address in place of a path, as for a proxy, names the same file", async () => {
    const target = `${base}/kernel`;
    expect((await curl("--request-target", target, `${base}/`)).equals(BIG)).toBe(true);
  });
  test("HTTP/1.0, as old loaders speak it", async () => {
    expect((await curl("-0", `${base}/kernel`)).equals(BIG)).toBe(true);
  });
});

describe("answers", () => {
  test.each([
    ["GET", "/nothing", 404],
    ["GET", "/", 404],
    ["GET", "/../../etc/passwd", 404],
    ["GET", "/%2e%2e/etc/passwd", 404],
    ["GET", "/%zz", 400],
    ["PUT", "/kernel", 405],
    ["GET", "/v1/booted", 405],
    ["GET", "/gone", 500],
  ])("%s %s: %i", async (method, path, status) => {
    const args = ["-X", method, "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", base + path];
    expect((await curl(...args)).toString()).toBe(String(status));
  });
  test("a range behind the end: 416 with the size", async () => {
    const response = await fetch(`${base}/kernel`, { headers: { range: "bytes=5000001-" } });
    expect([response.status, response.headers.get("content-range")]).toEqual([416, "bytes */5000001"]);
  });
  test("a made file is made for its client, and its fetch is an event", async () => {
    events.length = 0;
    expect(await (await fetch(`${base}/boot.ipxe?mac=1`)).text()).toBe("#!ipxe\n# http 127.0.0.1\n");
    // The answer before this one may be reported late.
    expect(events.filter((event) => event.kind !== "http" || event.path !== "/kernel")).toMatchObject([
      { kind: "script", via: "http", client: "127.0.0.1", bytes: 24 },
      { kind: "http", method: "GET", path: "/boot.ipxe", status: 200, bytes: 24 },
    ]);
  });
  test("a part of the kernel is no kernel fetch", async () => {
    events.length = 0;
    await curl("-r", "0-9", `${base}/kernel`);
    expect(events.some((event) => event.kind === "kernel")).toBe(false);
  });
  test("POST /v1/booted becomes an event; a long one is refused", async () => {
    events.length = 0;
    const post = (body: string) => fetch(`${base}/v1/booted`, { method: "POST", body });
    expect((await post('{"bundle":"x"}')).status).toBe(204);
    expect(events).toContainEqual({ kind: "booted", client: "127.0.0.1", body: '{"bundle":"x"}' });
    expect((await post("x".repeat(70_000))).status).toBe(413);
  });
  test("a client that hangs up in the middle does no harm", async () => {
    events.length = 0;
    const socket = connect(server.port, "127.0.0.1");
    socket.write("GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise<void>((resolve) => socket.once("data", () => resolve()));
    socket.destroy();
    const cut = (event: PxeEventBody) =>
      event.kind === "http" && event.status === 200 && event.path === "/kernel";
    while (!events.some(cut)) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(events.some((event) => event.kind === "kernel")).toBe(false);
    expect((await curl("-r", "0-0", `${base}/kernel`)).length).toBe(1);
  });
});

test.each([
  [undefined, undefined],
  ["bytes=0-", { start: 0, end: 9 }],
  ["bytes=3-4", { start: 3, end: 4 }],
  ["bytes=-3", { start: 7, end: 9 }],
  ["bytes=-30", { start: 0, end: 9 }],
  ["bytes=10-", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=4-3", undefined],
  ["bytes=-", undefined],
  ["bytes=0-1,3-4", undefined],
  ["lines=0-1", undefined],
])("the header %j of a file of 10 bytes", (header, range) => expect(parseRange(header, 10)).toEqual(range));
