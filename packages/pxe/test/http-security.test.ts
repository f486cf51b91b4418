/** What strangers try on the HTTP server: refused, told once, and the others are served on. */
import { execFile } from "node:child_process";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import {
  openUploadStore,
  servePxe,
  startHttpServer,
  type HttpServer,
  type PxeEvent,
  type PxeEventBody,
  type PxeServer,
} from "../src/index.ts";

const run = promisify(execFile);
let directory = "";
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-security-"));
  await writeFile(join(directory, "kernel"), "k".repeat(1 << 20));
  await writeFile(join(directory, "secret"), "secret");
});
afterAll(() => rm(directory, { recursive: true }));

/** Send a request as it is written; resolves with the status line, or "" when the connection was cut. */
function raw(port: number, text: string, from = "127.0.0.1"): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect({ port, host: "127.0.0.1", localAddress: from }, () => socket.write(text));
    socket.on("data", (part: Buffer) => (answer += part.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer.split("\r\n", 1)[0] ?? ""));
  });
}

describe("the server of files", () => {
  let server: HttpServer;
  let events: PxeEventBody[] = [];
  const told = () =>
    events.flatMap((event) => (event.kind === "warning" && event.code === "refused" ? [event.message] : []));
  const start = async (limits: Parameters<typeof startHttpServer>[0]["limits"] = {}): Promise<void> => {
    // The last word of a server that was closed belongs to the test before.
    const heard: PxeEventBody[] = [];
    events = heard;
    server = await startHttpServer({
      address: "127.0.0.1",
      port: 0,
      files: new Map([["kernel", { kind: "path", path: join(directory, "kernel") }]]),
      limits,
      onEvent: (event) => heard.push(event),
    });
  };
  const served = async (): Promise<number> =>
    (await (await fetch(`http://127.0.0.1:${server.port}/kernel`)).arrayBuffer()).byteLength;
  afterEach(() => server.close());

  test.each([
    ["../", "/../secret"],
    ["../ behind a name", "/kernel/../../secret"],
    ["an absolute path", "//etc/passwd"],
    ["a backslash", "/..\\secret"],
    ["an encoded backslash", "/%5c..%5csecret"],
    ["encoded dots", "/%2e%2e/secret"],
    ["an encoded slash", "/..%2fsecret"],
    ["double encoding", "/%252e%252e/secret"],
    ["NUL", "/kernel%00.txt"],
    ["a broken escape", "/%"],
    ["overlong UTF-8", "/%c0%ae%c0%ae/secret"],
    ["another scheme", "file:///etc/passwd"],
  ])("%s leads nowhere", async (_, path) => {
    await start();
    const answer = await raw(server.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 (404 Not Found|400 Bad Request)$/);
    expect(await served()).toBe(1 << 20);
  });

  test("bad requests of one address are told once each kind, however many come", async () => {
    await start();
    for (let round = 0; round < 30; round++) {
      await raw(server.port, "GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "127.0.0.2");
      await raw(server.port, "DELETE /kernel HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "127.0.0.2");
      await raw(server.port, "NOT HTTP\r\n\r\n", "127.0.0.2");
      await raw(server.port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(20_000)}\r\n\r\n`, "127.0.0.2");
    }
    expect(told().sort()).toEqual([
      "Refused 127.0.0.2: Bad Request (400)",
      "Refused 127.0.0.2: Method Not Allowed (405)",
      "Refused 127.0.0.2: Request Header Fields Too Large (431)",
    ]);
    expect(events.filter(({ kind }) => kind === "http").length).toBeLessThanOrEqual(3);
    expect(await served()).toBe(1 << 20);
  });

  test("probing for files is part of booting, asking for thousands is not", async () => {
    await start();
    for (let index = 0; index < 300; index++) {
      expect((await fetch(`http://127.0.0.1:${server.port}/no${index}`)).status).toBe(404);
    }
    expect(told()).toEqual(["Refused 127.0.0.1: it asks for very many files that are not there"]);
    expect(events.filter((event) => event.kind === "http")).toHaveLength(200);
  });

  test("connections of one address are limited; another address is served meanwhile", async () => {
    await start({ perClient: 8 });
    const sockets: Socket[] = [];
    let cut = 0;
    for (let index = 0; index < 200; index++) {
      const socket = connect({ port: server.port, host: "127.0.0.1", localAddress: "127.0.0.2" });
      socket.on("close", () => cut++).on("error", () => undefined);
      sockets.push(socket);
    }
    await vi.waitFor(() => expect(cut).toBe(192));
    expect(server.connections()).toBe(8);
    expect(await served()).toBe(1 << 20);
    expect(told()).toEqual(["Refused 127.0.0.2: more than 8 connections at a time"]);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => {
      const answer = await raw(server.port, "GET /kernel HTTP/1.0\r\n\r\n", "127.0.0.2");
      expect(answer).toBe("HTTP/1.1 200 OK");
    });
  });

  test("clients that send nothing, half a head, or read nothing are cut", async () => {
    await start({ idleMs: 400, headMs: 300 });
    const open = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connect(server.port, "127.0.0.1", () => {
          if (text !== "") socket.write(text);
        });
        // Not a byte is read: a file of a megabyte does not fit into what the kernel holds for it.
        socket.pause();
        socket.on("error", () => undefined).on("close", () => resolve());
        const look = setInterval(() => {
          if (server.connections() > 0) return;
          clearInterval(look);
          socket.destroy();
        }, 20);
      });
    await Promise.all([open(""), open("GET /kernel HTTP/1.1\r\nHo")]);
    const slow = open(`GET /kernel HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20));
    expect(await served()).toBe(1 << 20);
    await slow;
  });
});

describe("uploads", () => {
  let server: PxeServer;
  let base = "";
  let uploads = "";
  let token = "";
  let name = "";
  const events: PxeEvent[] = [];

  const start = async (quota: { bytes?: number; files?: number } = {}): Promise<void> => {
    uploads = await mkdtemp(join(directory, "results-"));
    events.length = 0;
    server = await servePxe({
      bundle: { kernel: join(directory, "kernel"), initrd: [], cmdline: "" },
      interface: "lo",
      mode: "http-only",
      ports: { http: 0 },
      uploads: { directory: uploads, ...quota },
      onEvent: (event) => events.push(event),
    });
    base = `http://127.0.0.1:${server.ports.http}`;
    const script = await (await fetch(`${base}/boot.ipxe?mac=52:54:00:12:34:56`)).text();
    token = /je\.token=(\S+)/.exec(script)?.[1] ?? "";
    name = /je\.run=(\S+)/.exec(script)?.[1] ?? "";
  };
  afterEach(() => server.close());
  const put = async (
    file: string,
    body: string | Uint8Array<ArrayBuffer>,
    shown = token,
    of = name,
  ): Promise<number> =>
    (
      await fetch(`${base}/v1/runs/${of}/files/${file}`, {
        method: "PUT",
        body,
        headers: { authorization: `Bearer ${shown}` },
      })
    ).status;

  test("by curl and by busybox's wget, in any number and whole", async () => {
    await start();
    const source = join(directory, "kernel");
    await run("curl", ["-sSf", "-T", source, `${base}/v1/runs/${name}/files/dmesg.txt?token=${token}`]);
    await run("busybox", [
      ..."wget -q -O -".split(" "),
      `--post-file=${source}`,
      `${base}/v1/runs/${name}/files/two?token=${token}`,
    ]);
    expect(await put("empty", "")).toBe(201);
    expect((await readdir(join(uploads, name))).sort()).toEqual(["dmesg.txt", "empty", "two"]);
    for (const file of ["dmesg.txt", "two"]) {
      expect((await readFile(join(uploads, name, file))).equals(await readFile(source))).toBe(true);
    }
    expect(events).toContainEqual(
      expect.objectContaining({
        kind: "upload",
        mac: "52:54:00:12:34:56",
        run: name,
        file: "two",
        bytes: 1 << 20,
      }),
    );
  });

  test("nothing is overwritten, whoever comes second", async () => {
    await start();
    expect(await put("a", "first")).toBe(201);
    expect(await put("a", "second")).toBe(409);
    const both = await Promise.all([put("b", "x".repeat(1e6)), put("b", "y".repeat(1e6))]);
    expect(both.sort()).toEqual([201, 409]);
    expect(await readFile(join(uploads, name, "a"), "utf8")).toBe("first");
    expect(await readFile(join(uploads, name, "b"), "utf8")).toMatch(/^(x{1000000}|y{1000000})$/);
    expect((await readdir(join(uploads, name))).sort()).toEqual(["a", "b"]);
  });

  test("a wrong token, another run's, one whose run is over: 403, told once", async () => {
    await start();
    expect(await put("a", "x", "")).toBe(403);
    expect(await put("a", "x", "0".repeat(32))).toBe(403);
    expect(await put("a", "x", token, "other")).toBe(403);
    const done = await fetch(`${base}/v1/runs/${name}/done?token=${token}`, { method: "POST" });
    expect(done.status).toBe(204);
    expect(await put("a", "x")).toBe(403);
    expect(await readdir(uploads)).toEqual([]);
    expect(events.filter((event) => event.kind === "warning")).toMatchObject([
      { code: "refused", message: "Refused 127.0.0.1: Forbidden (403)" },
    ]);
  });

  test.each([
    ["..%2fevil", 404],
    ["%2e%2e", 400],
    [".hidden", 400],
    ["a%5cb", 400],
    ["a%00b", 400],
    ["%252e%252e%252fevil", 400],
    ["a%0ab", 400],
    ["%C3%A9", 400],
    ["x".repeat(129), 400],
    ["..", 404],
  ])("the name %s: %i, and nothing is written", async (file, status) => {
    await start();
    const { stdout } = await run("curl", [
      ..."-s -o /dev/null --path-as-is -w %{http_code} -T".split(" "),
      join(directory, "secret"),
      `${base}/v1/runs/${name}/files/${file}?token=${token}`,
    ]);
    // Fewer slashes make another address, which is not there.
    expect([String(status), "405"]).toContain(stdout);
    const found = await readdir(uploads, { recursive: true });
    expect(found.filter((entry) => entry !== name)).toEqual([]);
  });

  test("quotas of bytes and files, announced or not; what was too much leaves no trace", async () => {
    await start({ bytes: 1000, files: 3 });
    expect(await put("a", "x".repeat(600))).toBe(201);
    expect(await put("b", "x".repeat(401))).toBe(413);
    const chunked = await run("sh", [
      "-c",
      `head -c 5000 /dev/zero | curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' -T - "${base}/v1/runs/${name}/files/c?token=${token}"`,
    ]);
    expect(chunked.stdout).toBe("413");
    expect(await put("b", "x".repeat(400))).toBe(201);
    expect(await put("c", "")).toBe(201);
    expect(await put("d", "")).toBe(413);
    expect((await readdir(join(uploads, name))).sort()).toEqual(["a", "b", "c"]);
  });

  test("an upload that is cut off leaves nothing, and its room is free again", async () => {
    await start({ bytes: 1000 });
    const socket = connect(server.ports.http, "127.0.0.1");
    const head = `PUT /v1/runs/${name}/files/a?token=${token} HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n`;
    socket.write(head + "x".repeat(500));
    await vi.waitFor(async () => expect(await readdir(join(uploads, name))).toHaveLength(1));
    socket.destroy();
    await vi.waitFor(async () => expect(await readdir(join(uploads, name))).toEqual([]));
    expect(await put("a", "x".repeat(1000))).toBe(201);
  });

  test("a symbolic link in the directory is neither followed nor replaced", async () => {
    await start();
    await mkdir(join(uploads, name));
    await symlink(join(directory, "target"), join(uploads, name, "a"));
    expect(await put("a", "x")).toBe(409);
    await expect(lstat(join(directory, "target"))).rejects.toThrow("ENOENT");
    const elsewhere = await mkdtemp(join(directory, "elsewhere-"));
    const store = await openUploadStore(uploads);
    await symlink(elsewhere, join(uploads, "linked"));
    const body = (async function* () {
      yield new Uint8Array(1);
    })();
    await expect(store.put("linked", "a", body)).rejects.toThrow("no directory");
    expect(await readdir(elsewhere)).toEqual([]);
  });

  test("what a crash left half is cleared away when its run goes on", async () => {
    await start();
    await mkdir(join(uploads, name));
    await writeFile(join(uploads, name, ".part-0123"), "half");
    expect(await put("a", "x")).toBe(201);
    expect(await readdir(join(uploads, name))).toEqual(["a"]);
  });
});
