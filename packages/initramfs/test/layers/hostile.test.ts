/** What strangers put into archives, by the classes of GNU tar's, node-tar's and libarchive's advisories. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { InitramfsError, readLayers } from "../../src/index.ts";
import { lines, read, save, scratch } from "../support/layers.ts";
import { makeTar, type MadeEntry } from "../support/make-tar.ts";

const directory = scratch();
const tar = (entries: readonly MadeEntry[] | Uint8Array) =>
  read([
    {
      kind: "tar",
      source: save(directory, entries instanceof Uint8Array ? entries : makeTar(entries), "evil.tar"),
    },
  ]);

const deep = (components: number): string => Array.from({ length: components }, () => "d").join("/");

describe("is refused, with archive and entry named", () => {
  test.each<[name: string, entries: readonly MadeEntry[] | Uint8Array, message: RegExp]>([
    ["..", [{ name: "../x" }], /the entry "\.\.\/x" has "\.\." in its name/],
    [".. inside (node-tar CVE-2021-32804)", [{ name: "a/../../x" }], /"a\/\.\.\/\.\.\/x" has "\.\."/],
    ["absolute and ..", [{ name: "//../../x" }], /has "\.\."/],
    ["a NUL in a pax name", [{ name: "a", pax: { path: "a\0b" } }], /"a\\u0000b" has a NUL/],
    ["a NUL in a link", [{ name: "a", type: "2", pax: { linkpath: "x\0y" } }], /with a NUL in it/],
    ["no name", [{ name: "" }], /has no name/],
    ["a link to nothing", [{ name: "a", type: "2" }], /is a symbolic link to nothing/],
    ["a component of 256 bytes", [{ name: "a", pax: { path: "é".repeat(128) } }], /too long for Linux/],
    ["a name of 4095 bytes", [{ name: "a", pax: { path: `${deep(2046)}/ab` } }], /too long for Linux/],
    [
      "a link of 4096 bytes",
      [{ name: "a", type: "2", pax: { linkpath: "x".repeat(4096) } }],
      /too long for Linux/,
    ],
    [
      "a hard link out (CVE-2016-6321)",
      [{ name: "a", type: "1", linkname: "../../etc/passwd" }],
      /"a" is a hard link to "..\/..\/etc\/passwd", which is no name/,
    ],
    [
      "a hard link to this machine",
      [{ name: "a", type: "1", linkname: "/etc/passwd" }],
      /hard link to "\/etc\/passwd", which is not there/,
    ],
    [
      "a hard link to a directory",
      [
        { name: "d/", type: "5" },
        { name: "a", type: "1", linkname: "d" },
      ],
      /which is a directory/,
    ],
    ["a hard link to itself", [{ name: "a", type: "1", linkname: "a" }], /which is not there/],
    [
      "a hard link before its file",
      [{ name: "a", type: "1", linkname: "b" }, { name: "b" }],
      /which is not there/,
    ],
    [
      "a hard link through a link out (CVE-2026-23745 and its kin)",
      [
        { name: "l", type: "2", linkname: "../../../etc" },
        { name: "a", type: "1", linkname: "l/passwd" },
      ],
      /hard link to "l\/passwd", which is not there/,
    ],
    ["below a file", [{ name: "f" }, { name: "f/x" }], /"f\/…" is below "f", which is no directory/],
    [
      "through a loop of links",
      [{ name: "a", type: "2", linkname: "b" }, { name: "b", type: "2", linkname: "a" }, { name: "a/x" }],
      /loop of links/,
    ],
    [
      "a huge size",
      [{ name: "a", patch: [124, Buffer.from("800000000000000100000000", "hex")], size: 1 }],
      /is larger than cpio|is cut off/,
    ],
    [
      "a size beyond numbers",
      [{ name: "a", patch: [124, Buffer.from("80ffffffffffffffffffffff", "hex")] }],
      /bad number as its size/,
    ],
    [
      "a negative size",
      [{ name: "a", patch: [124, Buffer.from("ffffffffffffffffffffffff", "hex")] }],
      /negative size/,
    ],
    [
      "a size that is no number",
      [{ name: "a", patch: [124, Buffer.from("12345678x901")] }],
      /bad number as its size/,
    ],
    ["a pax size that is no number", [{ name: "a", pax: { size: "0x10" } }], /"size" is no number/],
    ["a negative user", [{ name: "a", pax: { uid: "-1" } }], /impossible user or group -1/],
    ["a user of 33 bits", [{ name: "a", pax: { uid: "4294967296" } }], /impossible user or group 4294967296/],
    ["an impossible device", [{ name: "a", type: "3", major: 4096 }], /impossible number 4096:0/],
    ["an unknown type", [{ name: "a", type: "Q" }], /unknown type "Q"/],
    ["the rest of a volume", [{ name: "a", type: "M" }], /another volume/],
    [
      "a huge extended header",
      [{ name: "a", type: "x", size: 2 ** 31 }],
      /extended header of 2147483648 bytes/,
    ],
    ["a huge long name", [{ name: "a", type: "L", size: 2 ** 31 }], /extended header of 2147483648 bytes/],
    ["a damaged extended header", [{ name: "a", type: "x", data: "99 path=x\n" }], /damaged extended header/],
    ["an endless extended header", [{ name: "a", type: "x", data: "0 path=x\n" }], /damaged extended header/],
    ["a wrong checksum", [{ name: "a", badChecksum: true }], /checksum of a header is wrong/],
    [
      "cut data",
      makeTar([{ name: "a", data: "x".repeat(600) }], { end: false }).subarray(0, 1024),
      /"a" is cut off/,
    ],
    ["a cut header", makeTar([{ name: "a" }], { end: false }).subarray(0, 300), /cut off within a header/],
    ["cut padding", makeTar([{ name: "a", data: "x" }], { end: false }).subarray(0, 700), /it is cut off/],
    [
      "a root that is a file",
      [{ name: "./", type: "2", linkname: "x" }],
      /"\/" is the root and no directory/,
    ],
    ["no tar at all", Buffer.from("hello".repeat(200)), /it is no tar archive/],
    [
      "a pax keyword that is a prototype",
      [{ name: "a", pax: { __proto__x: "1", path: "../p" } }],
      /has "\.\."/,
    ],
  ])("%s", async (_name, entries, message) => {
    const error: unknown = await tar(entries).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(InitramfsError);
    expect(error).toMatchObject({ code: "INITRAMFS_LAYER" });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toContain('"evil.tar"');
  });
});

describe("becomes a clean tree", () => {
  test.each<[name: string, entries: readonly MadeEntry[], tree: string[]]>([
    ["an absolute name", [{ name: "/etc/x" }], ["/etc directory 755", '/etc/x file 644 ""']],
    ["many slashes and dots", [{ name: ".///./a//./b" }], ["/a directory 755", '/a/b file 644 ""']],
    [
      "a name of the root",
      [
        { name: "./", type: "5", mode: 0o700 },
        { name: "/", type: "5" },
      ],
      [],
    ],
    [
      "a link that leads out, and a file through it (CVE-2001-1267, CVE-2018-20990)",
      [
        { name: "out", type: "2", linkname: "../../../../tmp" },
        { name: "out/x", data: "x" },
      ],
      ["/out -> ../../../../tmp", "/tmp directory 755", '/tmp/x file 644 "x"'],
    ],
    [
      "an absolute link to a directory of this machine, and a file through it",
      [
        { name: "out", type: "2", linkname: directory },
        { name: "out/x", data: "x" },
      ],
      expect.arrayContaining([`/out -> ${directory}`, `${directory}/x file 644 "x"`]),
    ],
    [
      "a chain of links",
      [
        { name: "a", type: "2", linkname: "b/.." },
        { name: "b", type: "2", linkname: "c" },
        { name: "c/", type: "5" },
        { name: "a/x" },
      ],
      ["/a -> b/..", "/b -> c", "/c directory 755", '/x file 644 ""'],
    ],
    [
      "a link replaced by a directory between two entries (node-tar CVE-2021-37701)",
      [
        { name: "d", type: "2", linkname: "/etc" },
        { name: "d", type: "5" },
        { name: "d/passwd", data: "x" },
      ],
      ["/d directory 755", '/d/passwd file 644 "x"'],
    ],
    [
      "a hard link to a symbolic link",
      [
        { name: "l", type: "2", linkname: "/etc/shadow" },
        { name: "h", type: "1", linkname: "l" },
      ],
      ["/h -> /etc/shadow", "/l -> /etc/shadow"],
    ],
    [
      "a hard link with data, which only files have",
      [
        { name: "a", data: "x" },
        { name: "h", type: "1", linkname: "a", size: 1 },
      ],
      ['/a file 644 #1 "x"', '/h file 644 #1 "x"'],
    ],
    ["a device", [{ name: "mem", type: "3", major: 1, minor: 1, mode: 0o666 }], ["/mem character 666 1:1"]],
    ["a time before 1970", [{ name: "a", pax: { mtime: "-12.5" } }], ['/a file 644 ""']],
    [
      "names that are no UTF-8",
      [{ name: Buffer.from("a\xff\xc3(", "latin1") }],
      ['/a\udcff\udcc3( file 644 ""'],
    ],
    ["names that would steer a terminal", [{ name: "a\u001b[2J\n" }], ['/a\u001b[2J\n file 644 ""']],
    [
      "names as on prototypes",
      [{ name: "__proto__/constructor" }],
      ["/__proto__ directory 755", '/__proto__/constructor file 644 ""'],
    ],
  ])("%s", async (_name, entries, tree) => {
    expect(lines(await tar(entries))).toEqual(tree);
  });
});

test("nothing of the host is opened or written, whatever a link says", async () => {
  const secret = join(directory, "secret");
  mkdirSync(join(directory, "here"), { recursive: true });
  writeFileSync(secret, "secret");
  writeFileSync(join(directory, "evil.tar"), "");
  const before = readdirSync(directory);
  const stack = await tar([
    { name: "l", type: "2", linkname: secret },
    { name: "d", type: "2", linkname: directory },
    { name: "d/new", data: "x" },
    { name: "l", type: "2", linkname: secret },
  ]);
  expect(JSON.stringify(stack.nodes)).not.toContain("c2VjcmV0");
  expect(existsSync(join(directory, "new"))).toBe(false);
  expect(readdirSync(directory)).toEqual(before);
});

test("errors cannot steer the terminal", async () => {
  await expect(tar([{ name: "\u001b[2J\u009b1m/../x" }])).rejects.toThrow(/"\\u001b\[2J\\u009b1m\/\.\.\/x"/);
});

describe("limits", () => {
  const many = makeTar(Array.from({ length: 20 }, (_, n) => ({ name: `f${n}`, data: "x".repeat(1000) })));
  test("entries", async () => {
    const layer = { kind: "tar", source: save(directory, many) } as const;
    const options = { layers: [layer], arch: "x86_64" } as const;
    await expect(readLayers({ ...options, layerLimits: { entries: 19 } }, {})).rejects.toMatchObject({
      code: "INITRAMFS_LIMIT",
      message: expect.stringMatching(/more than 19 entries/) as string,
      hint: expect.stringContaining("layerLimits.entries") as string,
    });
    // Over all layers together.
    await expect(
      readLayers({ ...options, layers: [layer, layer], layerLimits: { entries: 30 } }, {}),
    ).rejects.toThrow(/30/);
    await readLayers({ ...options, layerLimits: { entries: 20, bytes: 20_000 } }, {});
  });
  test.each([
    ["plain", (bytes: Buffer) => bytes],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
    ["xz", (bytes: Buffer) => execFileSync("xz", ["-c"], { input: bytes })],
    ["bzip2", (bytes: Buffer) => execFileSync("bzip2", ["-c"], { input: bytes })],
  ])("bytes of %s", async (_name, compress) => {
    const layer = { kind: "tar", source: save(directory, compress(many)) } as const;
    const options = { layers: [layer], arch: "x86_64" } as const;
    await expect(readLayers({ ...options, layerLimits: { bytes: 19_999 } }, {})).rejects.toMatchObject({
      code: "INITRAMFS_LIMIT",
    });
  });
  test("a bomb is not unpacked to its end", async () => {
    const bomb = gzipSync(Buffer.alloc(200 << 20), { level: 9 });
    const source = save(directory, bomb);
    const memory = process.memoryUsage().arrayBuffers;
    await expect(
      readLayers({ layers: [{ kind: "tar", source }], arch: "x86_64", layerLimits: { bytes: 1 << 20 } }, {}),
    ).rejects.toMatchObject({ code: "INITRAMFS_LIMIT" });
    expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(50 << 20);
  });
});

test("twenty thousand entries in one directory, and a path as deep as Linux allows", async () => {
  const many = makeTar(Array.from({ length: 20_000 }, (_, n) => ({ name: `d/${n}` })));
  expect((await tar(many)).nodes.length).toBe(20_001);
  const { nodes } = await tar([{ name: "x", pax: { path: `${deep(2046)}/a` } }]);
  expect(nodes.length).toBe(2047);
  const chain: MadeEntry[] = [{ name: "l", type: "2", pax: { linkpath: deep(2000) } }];
  await expect(tar([...chain, { name: "x", pax: { path: `l/${deep(1000)}` } }])).rejects.toThrow(
    /where links lead it/,
  );
});
