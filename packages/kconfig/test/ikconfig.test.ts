import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { embeddedConfig } from "../src/index.ts";
import { systemDecompress } from "../src/node/index.ts";

const text = '#\n# Automatically generated file; DO NOT EDIT.\n#\nCONFIG_NET=y\nCONFIG_NAME="ü"\n';

/** As kernel/configs.c lays it out, among bytes that mean nothing. */
const image = Buffer.concat([
  Buffer.from("\x7fELF"),
  randomBytes(40_000),
  Buffer.from("IKCFG_ST is a word here\0IKCFG_ST"),
  tool("gzip", ["-9", "-n"], Buffer.from(text)),
  Buffer.from("IKCFG_ED"),
  randomBytes(300_000),
]);

function tool(program: string, args: readonly string[], input: Uint8Array): Buffer {
  return execFileSync(program, [...args], { input, maxBuffer: 1 << 26 });
}

/** A kernel that unpacks itself: code, the compressed one, its size, more code. */
function selfExtracting(payload: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(image.length);
  return Buffer.concat([
    Buffer.from("MZ"),
    randomBytes(20_000),
    // What looks like the start of each format, and is not.
    Buffer.from("\x1f\x8b\x08 \x28\xb5\x2f\xfd \x5d\0\0 BZh9 ", "latin1"),
    payload,
    size,
    randomBytes(5000),
  ]);
}

test("an uncompressed kernel, and a view into a larger buffer", () => {
  expect(embeddedConfig(image)).toBe(text);
  const large = Buffer.concat([Buffer.alloc(3), image]);
  expect(embeddedConfig(new Uint8Array(large.buffer, large.byteOffset + 3, image.length))).toBe(text);
});

// With the options of scripts/Makefile.lib in the kernel, except that zstd has only the window of its -22 --ultra, which
// takes more than a gigabyte.
test.each<[string, string, string[]]>([
  ["gzip", "gzip", ["-n", "-f", "-9"]],
  ["gzip with a name", "gzip", ["-f", "-9"]],
  ["zstd", "zstd", ["--long=27", "-c"]],
])("a kernel that unpacks itself by %s", (_, program, args) => {
  const bytes = selfExtracting(tool(program, args, image));
  expect(embeddedConfig(bytes)).toBe(text);
});

test.each<[string, string, string[]]>([
  ["xz", "xz", ["--check=crc32", "--x86", "--lzma2=dict=32MiB", "-c"]],
  ["lzma", "xz", ["--format=lzma", "-9", "-c"]],
  ["bzip2", "bzip2", ["-9", "-c"]],
  ["lz4", "lz4", ["-l", "-9", "-c"]],
  ["lzo", "lzop", ["-9", "-c"]],
])("a kernel that unpacks itself by %s, which the host decompresses", (_, program, args) => {
  const bytes = selfExtracting(tool(program, args, image));
  expect(embeddedConfig(bytes, { decompress: systemDecompress })).toBe(text);
});

test("/proc/config.gz, the plain text, whole files compressed", () => {
  expect(embeddedConfig(gzipSync(text))).toBe(text);
  expect(embeddedConfig(Buffer.from(text))).toBe(text);
  expect(embeddedConfig(zstdCompressSync(image))).toBe(text);
});

test("what Node cannot decompress is passed over without help", () => {
  const payload = tool("bzip2", ["-9", "-c"], image);
  expect(embeddedConfig(selfExtracting(payload))).toBeUndefined();
});

test("a program that is missing matters only when nothing else opens the kernel", () => {
  const decompress = (): never => {
    throw new Error("no lzop");
  };
  const lzo = Buffer.from("\x89LZO\0\r\n\x1a\n", "latin1");
  expect(() => embeddedConfig(selfExtracting(lzo), { decompress })).toThrow("no lzop");
  const kernel = gzipSync(randomBytes(100_000));
  expect(embeddedConfig(Buffer.concat([selfExtracting(kernel), lzo]), { decompress })).toBeUndefined();
});

test("nothing is found where nothing is", () => {
  expect(embeddedConfig(new Uint8Array())).toBeUndefined();
  expect(embeddedConfig(randomBytes(200_000), { decompress: systemDecompress })).toBeUndefined();
  expect(embeddedConfig(selfExtracting(gzipSync(randomBytes(1000))))).toBeUndefined();
  expect(embeddedConfig(image.subarray(0, image.indexOf("IKCFG_ED") - 20))).toBeUndefined();
  expect(embeddedConfig(Buffer.from("just a text\n"))).toBeUndefined();
});
