/** Other people's clients read and write on real sockets. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTftpServer, type PxeEventBody, type TftpServer, type VirtualFile } from "../src/index.ts";
import { OTHER_CLIENTS, run, TEXT_CLIENT } from "./tftp/clients.ts";

/** Around each block size in use, and of many blocks. */
const SIZES = [1, 511, 512, 513, 1467, 1468, 1469, 100_000];
const TEXT = "one\ntwo\r\nthree\rfour\n\r";

let directory = "";
const contents = new Map(SIZES.map((size) => [`f${size}`, randomBytes(size)]));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-clients-"));
  for (const [name, bytes] of contents) await writeFile(join(directory, name), bytes);
  await writeFile(join(directory, "empty"), "");
  await writeFile(join(directory, "text"), TEXT);
});
afterAll(() => rm(directory, { recursive: true }));

describe.each([
  ["a port per transfer", false],
  ["single port", true],
])("%s", (_, singlePort) => {
  let server: TftpServer;
  let root = "";
  const events: PxeEventBody[] = [];
  beforeAll(async () => {
    root = await mkdtemp(join(directory, "uploads-"));
    const files = new Map<string, VirtualFile>(
      [...contents.keys(), "empty", "text"].map((name) => [
        name,
        { kind: "path", path: join(directory, name) },
      ]),
    );
    const onEvent = (event: PxeEventBody): void => void events.push(event);
    server = await startTftpServer({
      address: "127.0.0.1",
      port: 0,
      files,
      singlePort,
      uploads: { root },
      onEvent,
    });
  });
  afterAll(() => server.close());

  test.each(OTHER_CLIENTS)("$name reads files around its block size", async (client) => {
    const out = join(directory, "out");
    for (const [name, bytes] of contents) {
      const ended = await run(client.get(server.port, name, out));
      expect({ name, ...ended }).toMatchObject({ name, status: 0 });
      expect((await readFile(out)).equals(bytes), `${client.name} ${name}`).toBe(true);
    }
  });
  test.each(OTHER_CLIENTS)("$name writes files, which are there when it has ended", async (client) => {
    for (const size of [1, 512, 1468, 100_000]) {
      const name = `${client.name.replaceAll(" ", "-")}-${size}`;
      const ended = await run(client.put(server.port, join(directory, `f${size}`), name));
      expect({ name, ...ended }).toMatchObject({ name, status: 0 });
      expect((await readFile(join(root, name))).equals(contents.get(`f${size}`) ?? Buffer.alloc(0))).toBe(
        true,
      );
    }
    expect((await readdir(root)).filter((name) => name.startsWith("."))).toEqual([]);
  });
  test("netascii: a text of CRs and LFs comes and goes unchanged", async () => {
    const out = join(directory, "text-out");
    expect(await run(TEXT_CLIENT.get(server.port, "text", out))).toMatchObject({ status: 0 });
    // The client itself makes LF of CR LF, and so what it is sent must have been right.
    expect(await readFile(out, "latin1")).toBe(TEXT);
    expect(
      await run(TEXT_CLIENT.put(server.port, join(directory, "text"), `text-${singlePort}`)),
    ).toMatchObject({
      status: 0,
    });
    expect(await readFile(join(root, `text-${singlePort}`), "latin1")).toBe(TEXT);
  });
  test("an empty file (which curl 7.88 takes only without options, from other servers too)", async () => {
    for (const client of OTHER_CLIENTS) {
      if (client.name.startsWith("curl") && !client.name.endsWith("without options")) continue;
      const out = join(directory, "empty-out");
      expect({ client: client.name, ...(await run(client.get(server.port, "empty", out))) }).toMatchObject({
        status: 0,
      });
      expect(await readFile(out, "latin1")).toBe("");
    }
  });
  test("curl is told why not: 68 no such file, 69 not there, 73 a file that is there already", async () => {
    const [curl] = OTHER_CLIENTS;
    if (!curl) throw new Error("no clients");
    const file = join(directory, "f1");
    expect((await run(curl.get(server.port, "nothing", join(directory, "none")))).status).toBe(68);
    expect((await run(curl.put(server.port, file, "%2e%2e%2ff1"))).status).toBe(69);
    expect((await run(curl.put(server.port, file, "twice"))).status).toBe(0);
    expect((await run(curl.put(server.port, file, "twice"))).status).toBe(73);
  });
  test("no transfer ended otherwise", () => {
    const others = events.filter(
      (event) => event.kind !== "tftp" || !["complete", "refused"].includes(event.outcome),
    );
    expect(others).toEqual([]);
    expect(events.length).toBeGreaterThan(OTHER_CLIENTS.length * 12);
  });
});
