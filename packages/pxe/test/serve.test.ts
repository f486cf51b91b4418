import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  defaultPool,
  DHCP_OPTION,
  encodeDhcp,
  findBootBinaries,
  formatEvent,
  parsePool,
  servePxe,
  type PxeBundle,
  type PxeEvent,
  type ServePxeOptions,
} from "../src/index.ts";
import { ipxe, request } from "./packets.ts";

const run = promisify(execFile);
let directory = "";
let options: ServePxeOptions & { readonly bundle: PxeBundle };

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "pxe-serve-"));
  await writeFile(join(directory, "kernel"), "k".repeat(1000));
  await writeFile(join(directory, "initrd"), "i".repeat(10));
  const bundle = { kernel: join(directory, "kernel"), initrd: [join(directory, "initrd")], cmdline: "quiet" };
  options = { bundle, interface: "lo", mode: "http-only", ports: { http: 0 } };
});
afterAll(() => rm(directory, { recursive: true }));

describe("http-only", () => {
  test("script, kernel, initrd and manifest are served and told of", async () => {
    const seen: PxeEvent[] = [];
    const server = await servePxe({ ...options, onEvent: (event) => seen.push(event) });
    const stream = server.events();
    const script = await (await fetch(server.urls.script)).text();
    expect(script).toContain(`kernel ${server.urls.kernel} initrd=initrd0 quiet || goto failed`);
    expect(await (await fetch(server.urls.kernel)).text()).toBe("k".repeat(1000));
    const manifest: unknown = await (await fetch(server.urls.manifest)).json();
    expect(manifest).toMatchObject({ kernel: { size: 1000 }, initrd: [{ size: 10 }], cmdline: "quiet" });
    const { sha256 } = (manifest as { kernel: { sha256: string } }).kernel;
    expect((await run("sha256sum", [options.bundle.kernel])).stdout).toContain(sha256);
    await server.close();
    const read: string[] = [];
    for await (const event of stream) read.push(event.kind);
    expect(read).toEqual(["script", "http", "kernel", "http", "http"]);
    expect(seen[0]).toMatchObject({ kind: "listening", mode: "http-only", script: server.urls.script });
    await server.closed;
    await expect(fetch(server.urls.script)).rejects.toThrow();
  });
  test("the manifest is that of the files as they are, also after they were gone for a while", async () => {
    const kernel = join(directory, "rebuilt");
    await writeFile(kernel, "old");
    const events: PxeEvent[] = [];
    const onEvent = (event: PxeEvent): void => void events.push(event);
    const server = await servePxe({ ...options, onEvent, bundle: { ...options.bundle, kernel } });
    const manifest = async (): Promise<unknown> => {
      const response = await fetch(server.urls.manifest);
      return response.ok ? ((await response.json()) as { kernel: unknown }).kernel : response.status;
    };
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    expect(await manifest()).toEqual({ size: 3, sha256: hash("old") });
    await rm(kernel);
    expect(await manifest()).toBe(500);
    const failed = events.find((event) => event.kind === "http" && event.status === 500);
    expect(failed && formatEvent(failed, 0)).toMatch(/GET \/manifest\.json 500, .*: ENOENT: .*rebuilt/);
    await writeFile(kernel, "newer");
    expect(await manifest()).toEqual({ size: 5, sha256: hash("newer") });
    await server.close();
  });
  test("listens on the interface's address alone", async () => {
    const server = await servePxe(options);
    await expect(fetch(`http://127.0.0.2:${server.ports.http}/boot.ipxe`)).rejects.toThrow();
    await server[Symbol.asyncDispose]();
  });
  test("an aborted signal closes it", async () => {
    const abort = new AbortController();
    const server = await servePxe({ ...options, signal: abort.signal });
    abort.abort();
    await server.closed;
    await expect(servePxe({ ...options, signal: abort.signal })).rejects.toThrow("aborted");
  });
});

describe("DHCP on high ports", () => {
  const free = { dhcp: 20_067, client: 20_068, boot: 24_011, tftp: 0, http: 0 };
  test("proxy mode opens all its services, and closes them", async () => {
    const server = await servePxe({ ...options, mode: "proxy", ports: free });
    expect(server.ports).toMatchObject({ dhcp: 20_067, boot: 24_011, tftp: expect.any(Number) });
    const script = await run("curl", [
      "-sS",
      "--tftp-no-options",
      `tftp://127.0.0.1:${server.ports.tftp}/boot.ipxe`,
    ]);
    // Whoever has no HTTP is not sent there.
    expect(script.stdout).toContain(`kernel tftp://127.0.0.1:${server.ports.tftp}/kernel `);
    await server.close();
    await (await servePxe({ ...options, mode: "proxy", ports: free })).close();
  });
  test("garbage does not stop it", async () => {
    const server = await servePxe({ ...options, mode: "proxy", ports: free });
    const socket = createSocket("udp4");
    for (const port of [20_067, 24_011, server.ports.tftp ?? 0]) {
      socket.send(Buffer.alloc(500, 255), port, "127.0.0.1");
      socket.send(Buffer.alloc(1), port, "127.0.0.1");
    }
    expect((await fetch(server.urls.script)).status).toBe(200);
    socket.close();
    await server.close();
  });
  test("answers that cannot be given are told of once, however often they are asked for", async () => {
    const events: PxeEvent[] = [];
    const onEvent = (event: PxeEvent): void => void events.push(event);
    const server = await servePxe({ ...options, mode: "proxy", ports: free, onEvent });
    const socket = createSocket("udp4");
    // The client's identifier has to be sent back, and is longer than a reply.
    const question = request("discover", {
      options: [...ipxe(), [DHCP_OPTION.clientId, new Uint8Array(1000)]],
    });
    const bytes = encodeDhcp(question, { maxBytes: 1500 });
    for (let times = 0; times < 20; times++) socket.send(bytes, free.dhcp, "127.0.0.1");
    const count = (kind: string) => events.filter((event) => event.kind === kind).length;
    await expect.poll(() => count("discover")).toBe(20);
    const failed = events.filter((event) => event.kind === "warning" && event.code === "dhcp-reply-failed");
    expect(failed).toMatchObject([{ message: expect.stringContaining("Option 61 does not fit") }]);
    socket.close();
    await server.close();
  });
  test("a taken port is an error that says which program to look for, and leaves nothing open", async () => {
    const other = createSocket("udp4");
    other.bind(0, "127.0.0.1");
    await once(other, "listening");
    const ports = { ...free, boot: other.address().port };
    await expect(servePxe({ ...options, mode: "proxy", ports })).rejects.toMatchObject({
      code: "PXE_ADDRESS_IN_USE",
      hint: expect.stringContaining(`ss -lnpu 'sport = :${ports.boot}'`),
    });
    other.close();
    await once(other, "close");
    await (await servePxe({ ...options, mode: "proxy", ports })).close();
  });
});

describe("errors before anything is opened", () => {
  test.each([
    [{ interface: "nosuch0" }, "PXE_INTERFACE_UNKNOWN", /lo \(127\.0\.0\.1\)/],
    [{ address: "10.1.2.3" }, "PXE_INTERFACE_UNKNOWN", /lo/],
    [{ mode: "authoritative", pool: "10.1.2.3-10.1.2.9" }, "PXE_POOL_INVALID", /127\.0\.0\.1/],
    [
      { mode: "authoritative", leases: { "52:54:00:12:34:56": "10.0.0.1" } },
      "PXE_POOL_INVALID",
      /127\.0\.0\.1/,
    ],
    [
      {
        mode: "authoritative",
        leases: { "52:54:00:12:34:56": "127.0.0.9", "52:54:00:12:34:57": "127.0.0.9" },
      },
      "PXE_POOL_INVALID",
      /each/,
    ],
    [{ mode: "authoritative", leases: { nonsense: "127.0.0.9" } }, "PXE_ADDRESS_INVALID", /hex/],
    [
      { mode: "authoritative", leases: { "52:54:00:12:34:56": "127.255.255.255" } },
      "PXE_POOL_INVALID",
      /broadcast/,
    ],
    // Met in a reply, a word that is no address would end the server with its first client.
    [{ mode: "authoritative", router: "gateway" }, "PXE_ADDRESS_INVALID", /10\.77\.0\.1/],
    [{ mode: "authoritative", dns: ["9.9.9.9", "9.9.9"] }, "PXE_ADDRESS_INVALID", /10\.77\.0\.1/],
  ] as const)("%j: %s", async (change, code, hint) => {
    await expect(servePxe({ ...options, ...change })).rejects.toMatchObject({
      code,
      hint: expect.stringMatching(hint),
    });
  });
  test("a bundle file that is not there, is a directory, or arguments that iPXE would change", async () => {
    const serve = (change: object) => servePxe({ ...options, bundle: { ...options.bundle, ...change } });
    await expect(serve({ kernel: "/no/kernel" })).rejects.toThrow('Cannot find "/no/kernel"');
    await expect(serve({ initrd: ["/etc"] })).rejects.toThrow('"/etc" is not a file');
    await expect(serve({ cmdline: "a=${b}" })).rejects.toMatchObject({ code: "PXE_SCRIPT_UNREPRESENTABLE" });
  });
});

describe("addresses to lease", () => {
  const net = (address: string, netmask: string) => ({ address, netmask });
  test.each([
    [net("10.77.0.1", "255.255.255.0"), "10.77.0.155", "10.77.0.254"],
    [net("192.168.9.1", "255.255.255.248"), "192.168.9.1", "192.168.9.6"],
    [net("10.0.0.1", "255.0.0.0"), "10.255.255.155", "10.255.255.254"],
  ])("%j", (subnet, first, last) => expect(defaultPool(subnet)).toEqual({ first, last }));
  test("a network without room, a falling range, an absurd one", () => {
    expect(() => defaultPool(net("10.0.0.1", "255.255.255.255"))).toThrow(/no room/);
    expect(() => parsePool("10.0.0.9-10.0.0.1", net("10.0.0.1", "255.0.0.0"))).toThrow(/Cannot lease/);
    expect(() => parsePool("10.0.0.1-10.9.0.1", net("10.0.0.1", "255.0.0.0"))).toThrow(/65536/);
  });
  test.each(["10.77.0.0-10.77.0.99", "10.77.0.100-10.77.0.255", "10.77.0.255"])(
    "%s holds an address that is the network's own",
    (pool) =>
      expect(() => parsePool(pool, net("10.77.0.1", "255.255.255.0"))).toThrow(
        expect.objectContaining({ hint: expect.stringMatching(/broadcast/) }),
      ),
  );
  test("the whole of a network, but for those", () => {
    const whole = { first: "10.77.0.1", last: "10.77.0.254" };
    expect(parsePool("10.77.0.1-10.77.0.254", net("10.77.0.1", "255.255.255.0"))).toEqual(whole);
  });
});

test("boot programs are told by their contents: a file of another machine type is not offered", async () => {
  const program = (machine: number): Buffer => {
    const bytes = Buffer.alloc(5000);
    bytes.write("MZ");
    bytes.writeUInt32LE(0x80, 0x3c);
    bytes.write("PE\0\0", 0x80, "latin1");
    bytes.writeUInt16LE(machine, 0x84);
    return bytes;
  };
  await writeFile(join(directory, "snponly.efi"), program(0xaa64));
  await writeFile(join(directory, "ipxe.efi"), program(0x8664));
  await writeFile(join(directory, "undionly.kpxe"), Buffer.alloc(70_000));
  await writeFile(join(directory, "ipxe-arm64.efi"), "MZ");
  const found = await findBootBinaries({ directories: ["/no/such", directory] });
  expect(found.map(({ platform, name }) => `${platform} ${name}`)).toEqual([
    "bios undionly.kpxe",
    "efi-x64 ipxe.efi",
  ]);
});
