/** Boot programs other than iPXE: what they are told, and what is made for them. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { prepareUki } from "@justenough/uki";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  bootFields,
  DHCP_OPTION,
  escapeAppend,
  escapeGrub,
  grubConfig,
  identifyClient,
  planBoot,
  pxelinuxConfig,
  servePxe,
  type BootSite,
  type PxeEvent,
  type PxeServer,
  type ServePxeOptions,
} from "../src/index.ts";
import { paramsSegment } from "../src/boots/params-segment.ts";
import { neededSet } from "../src/loaders/loader-files.ts";
import { stubFor } from "../src/loaders/uki-file.ts";
import { judgeStage, noteStage, type StageBook } from "../src/stages.ts";
import { cloudKernel } from "./lab/guest.ts";
import { firmware, ipxe, MAC, request } from "./packets.ts";

const boot = { kernel: "b/1/kernel", initrd: ["initrd/params-0", "b/1/initrd/0"], cmdline: "quiet -- $HOME" };

describe("PXELINUX", () => {
  test("a configuration names files relative to where it came from", () => {
    expect(pxelinuxConfig({ ...boot, title: "one" })).toBe(
      [
        "DEFAULT linux",
        "PROMPT 0",
        "SAY one",
        "LABEL linux",
        "  LINUX b/1/kernel",
        "  INITRD initrd/params-0,b/1/initrd/0",
        "  APPEND quiet -- $HOME",
        "",
      ].join("\n"),
    );
    expect(pxelinuxConfig({ kernel: "kernel", initrd: [], cmdline: "" })).not.toMatch(/INITRD|APPEND/);
  });
  test.each(["a\nMENU b", "a\rb", "a\0", "-", `a=${"b".repeat(3000)}`])("%j is no APPEND line", (text) => {
    expect(() => escapeAppend(text)).toThrow(expect.objectContaining({ code: "PXE_SCRIPT_UNREPRESENTABLE" }));
  });
});

describe("GRUB", () => {
  test("a configuration loads, boots, or goes back to the firmware", () => {
    expect(grubConfig({ ...boot, title: "it's" })).toBe(
      [
        String.raw`echo 'it'\''s'`,
        "if linux '/b/1/kernel' 'quiet' '--' '$HOME'; then if initrd '/initrd/params-0' '/b/1/initrd/0'; then boot; fi; fi",
        "echo 'The boot failed; the lines above say at what'",
        "sleep 5",
        "exit 1",
        "",
      ].join("\n"),
    );
  });
  test.each([
    ["a  b", "'a' '' 'b'"],
    ["$a ; | & { } #", "'$a' ';' '|' '&' '{' '}' '#'"],
    [`dyndbg="file x +p" y`, "'dyndbg=file x +p' 'y'"],
    [`a="b"`, "'a=b'"],
    ["a\tb", "'a\tb'"],
    ["  ", ""],
  ])("%j is written as %s", (text, written) => {
    expect(escapeGrub(text)).toBe(written);
  });
  test.each(["it's", String.raw`a\b`, `a"b`, `"a b`, "a\nb"])("%j cannot pass", (text) => {
    expect(() => escapeGrub(text)).toThrow(expect.objectContaining({ code: "PXE_SCRIPT_UNREPRESENTABLE" }));
  });
});

describe("the first step", () => {
  const site: BootSite = {
    address: "10.77.0.1",
    httpPort: 8080,
    tftpPort: 69,
    binaries: { bios: "undionly.kpxe", "efi-x64": "snponly.efi" },
  };
  const ask = (options: Parameters<typeof request>[1]) => identifyClient(request("discover", options));
  const uki = { kind: "uki", file: "uki.efi", always: false } as const;
  const firmwares = {
    pxe: firmware(7),
    http: firmware(16, "HTTPClient:Arch:00016"),
    ipxe: ipxe([19, 36], 7),
  };
  const first = (at: BootSite, name: keyof typeof firmwares) =>
    planBoot(ask({ options: firmwares[name] }), at);

  test("UEFI gets an image by the protocol that it speaks, an iPXE its script", () => {
    const at = { ...site, loaders: { "efi-x64": uki } };
    expect(first(at, "pxe")).toMatchObject({ file: "uki.efi", transport: "tftp", last: true });
    expect(first(at, "http")).toMatchObject({ file: "http://10.77.0.1:8080/uki.efi", transport: "http" });
    expect(first(at, "ipxe")).toMatchObject({ stage: "script" });
  });
  test("a loader that was chosen holds for iPXE too", () => {
    const at = { ...site, loaders: { "efi-x64": { ...uki, always: true } } };
    expect(first(at, "ipxe")).toMatchObject({ file: "uki.efi" });
  });
  test("where only iPXE can tell what the policy asks, it is loaded, if there is one", () => {
    const at = { ...site, loaders: { "efi-x64": uki }, needsIpxe: () => true };
    expect(first(at, "pxe")).toMatchObject({ file: "snponly.efi" });
    expect(first({ ...at, binaries: {} }, "pxe")).toMatchObject({ file: "uki.efi" });
  });
  test("GRUB, which fetches by TFTP alone, is not offered by HTTP", () => {
    const at = {
      ...site,
      loaders: { "efi-x64": { kind: "grub", file: "shimx64.efi", always: true } },
    } as const;
    expect(first(at, "pxe")).toMatchObject({ file: "shimx64.efi" });
    expect(first(at, "http")).toMatchObject({ stage: "none" });
  });
  test("PXELINUX gets its configuration's name, and with HTTP a prefix (RFC 5071, options 209 and 210)", () => {
    const options = (kind: "pxelinux" | "lpxelinux", secure = false) => {
      const at = { ...site, secure, loaders: { bios: { kind, file: `${kind}.0`, always: true } } };
      const client = ask({ options: ipxe() });
      const step = planBoot(client, at);
      const fields = bootFields(client, step, { site: at, role: "authoritative", sole: true });
      const text = (code: number): string | undefined => {
        const value = new Map(fields.options).get(code);
        return value && Buffer.from(value).toString();
      };
      return [fields.file, text(DHCP_OPTION.pxelinuxConfig), text(DHCP_OPTION.pxelinuxPrefix)];
    };
    const config = "pxelinux.cfg/01-52-54-00-12-34-56";
    expect(options("pxelinux")).toEqual(["pxelinux.0", config, undefined]);
    expect(options("lpxelinux")).toEqual(["lpxelinux.0", config, "http://10.77.0.1:8080/"]);
    expect(options("lpxelinux", true)).toEqual(["lpxelinux.0", config, undefined]);
  });
  test("a machine that is started again within a minute goes in no circle", () => {
    const at = { ...site, loaders: { "efi-x64": { ...uki, always: true } } };
    const book: StageBook = new Map();
    const exchange = (xid: number) => {
      const client = ask({ options: firmwares.ipxe });
      return { client, step: planBoot(client, at), xid, now: xid, site: at };
    };
    noteStage(book, exchange(1));
    expect(judgeStage(book, exchange(2))).toEqual({ step: exchange(2).step });
  });
});

describe("a missing boot program is an error that names its package", () => {
  test("systemd's stub of another machine", async () => {
    await expect(stubFor(new Map(), "riscv64")).rejects.toMatchObject({
      code: "PXE_BINARY_MISSING",
      hint: expect.stringContaining("systemd-boot-efi of riscv64"),
    });
  });
  test("PXELINUX and GRUB", () => {
    for (const [set, name] of [
      ["pxelinux", "syslinux-common"],
      ["efi-x64", "grub-efi-amd64-signed"],
    ] as const) {
      const wanted = { code: "PXE_BINARY_MISSING", hint: expect.stringContaining(name) };
      expect(() => neededSet(set, { missing: "a" })).toThrow(expect.objectContaining(wanted));
    }
  });
});

describe("files made for the machine that asks", () => {
  let directory = "";
  let server: PxeServer;
  let base = "";
  let events: PxeEvent[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "pxe-loaders-"));
    await writeFile(join(directory, "initrd"), "an initramfs");
  });
  afterAll(() => rm(directory, { recursive: true }));
  afterEach(() => server.close());

  const OTHER = "02:00:00:00:00:01";
  const serve = async (change: Partial<ServePxeOptions> = {}): Promise<void> => {
    const kernel = await cloudKernel();
    const policy = {
      machines: [{ mac: MAC, cmdline: "hostname=left", params: { role: "client" } }],
      rules: [
        { mac: MAC, boot: { kernel, initrd: "initrd", cmdline: "quiet" } },
        { mac: OTHER, boot: "disk" },
        { boot: "none" },
      ],
    };
    await writeFile(join(directory, "policy.json"), JSON.stringify(policy));
    events = [];
    server = await servePxe({
      policy: join(directory, "policy.json"),
      interface: "lo",
      mode: "http-only",
      ports: { http: 0 },
      onEvent: (event) => events.push(event),
      ...change,
    });
    base = `http://127.0.0.1:${server.ports.http}`;
  };
  const text = async (path: string): Promise<string> => (await fetch(`${base}/${path}`)).text();
  const dashed = (mac: string): string => `01-${mac.replaceAll(":", "-")}`;

  test("a UKI has the machine's arguments and parameters, its exact length, and any range", async () => {
    await serve();
    const url = `${base}/uki.efi?mac=${MAC}`;
    const head = await fetch(url, { method: "HEAD" });
    const whole = Buffer.from(await (await fetch(url)).arrayBuffer());
    const plain = await prepareUki({
      kernel: await cloudKernel(),
      initrd: [join(directory, "initrd")],
      cmdline: "quiet hostname=left",
    });
    const params = await paramsSegment({ role: "client" });
    const wanted = await plain.withInitrd(params ? [params] : []);
    const parts: Uint8Array[] = [];
    for await (const part of wanted.stream()) parts.push(part);
    expect(whole.equals(Buffer.concat(parts))).toBe(true);
    expect(head.headers.get("content-length")).toBe(String(wanted.size));
    const at = wanted.size - 3000;
    const part = await fetch(url, { headers: { range: `bytes=${at}-${at + 1999}` } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(at, at + 2000))).toBe(true);
    expect(events.filter(({ kind }) => kind === "kernel")).toHaveLength(1);
  });
  test("configurations go by the address in their name", async () => {
    await serve();
    const pxelinux = await text(`pxelinux.cfg/${dashed(MAC)}`);
    const place = /LINUX (b\/\w+)\/kernel/.exec(pxelinux)?.[1];
    expect(pxelinux).toContain("APPEND quiet hostname=left\n");
    const params = /INITRD (initrd\/params-\w+),(\S+)/.exec(pxelinux);
    expect(params?.[2]).toBe(`${place}/initrd/0`);
    expect(await text(params?.[1] ?? "")).toContain("params/role");
    expect(await text(`grub/grub.cfg-${dashed(MAC)}`)).toContain(
      `linux '/${place}/kernel' 'quiet' 'hostname=left'`,
    );
    expect(await text(`pxelinux.cfg/${dashed(OTHER)}`)).toContain("LOCALBOOT");
    expect(await text(`grub/grub.cfg-${dashed(OTHER)}`)).toContain("next device");
  });
  test("who boots from its disk, or says nothing, gets no image", async () => {
    await serve();
    for (const path of [`uki.efi?mac=${OTHER}`, "uki.efi?mac=02:00:00:00:00:02"])
      expect((await fetch(`${base}/${path}`)).status, path).toBe(404);
    for (const name of ["pxelinux.cfg/C0A80001", "grub/x86_64-efi/command.lst", "grub/grub.cfg-01-zz"])
      expect((await fetch(`${base}/${name}`)).status, name).toBe(404);
  });
  test("of one bundle there are an image and configurations for everybody, by TFTP as by HTTP", async () => {
    const bundle = { kernel: await cloudKernel(), initrd: [join(directory, "initrd")], cmdline: "quiet" };
    await serve({ bundle, policy: undefined, mode: "files", ports: { http: 0, tftp: 6971 } });
    const file = join(directory, "fetched");
    const get = async (name: string): Promise<Buffer> => {
      const args = ["-sS", "--tftp-blksize", "1468", "-o", file, `tftp://127.0.0.1:6971/${name}`];
      await promisify(execFile)("curl", args);
      return readFile(file);
    };
    const wanted = await prepareUki(bundle);
    const parts: Uint8Array[] = [];
    for await (const part of wanted.stream()) parts.push(part);
    expect((await get("uki.efi")).equals(Buffer.concat(parts))).toBe(true);
    expect((await get("pxelinux.cfg/default")).toString()).toBe(
      await text("pxelinux.cfg/01-52-54-00-00-00-01"),
    );
    expect((await get("grub/grub.cfg")).toString()).toContain("initrd '/initrd/0'");
    expect((await get("ldlinux.c32")).length).toBeGreaterThan(100_000);
  });
  test("of one bundle it is known at the start whether UEFI can start its kernel", async () => {
    const bundle = { kernel: join(directory, "initrd"), initrd: [], cmdline: "" };
    await serve({ bundle, policy: undefined });
    expect((await fetch(`${base}/uki.efi`)).status).toBe(500);
    const chosen = servePxe({
      bundle,
      interface: "lo",
      mode: "http-only",
      loaders: { efi: "uki" },
      ports: { http: 0 },
    });
    await expect(chosen).rejects.toMatchObject({ code: "PXE_BUNDLE_INVALID" });
  });
});
