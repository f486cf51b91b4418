import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { compressor } from "../src/compression.ts";
import { type Compression, COMPRESSIONS, FileTree, InitramfsError, writeInitramfs } from "../src/index.ts";

let directory = "";
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-compression-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Compresses bytes that arrive in chunks of the given size. */
async function compress(compression: Compression, bytes: Uint8Array, chunk: number): Promise<Buffer> {
  const chunks = function* (): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
  };
  const end = new PassThrough();
  const [packed] = await Promise.all([
    buffer(end),
    pipeline([Readable.from(chunks()), ...compressor(compression), end]),
  ]);
  return packed;
}

const PROGRAMS: Partial<Record<Compression, readonly string[]>> = {
  gzip: ["gzip", "-dc"],
  zstd: ["zstd", "-dc"],
  xz: ["xz", "-dc"],
  lz4: ["lz4", "-dc"],
  lzma: ["xz", "--format=lzma", "-dc"],
  bzip2: ["bzip2", "-dc"],
  lzo: ["lzop", "-dc"],
};

function decompress(compression: Compression, bytes: Uint8Array): Buffer {
  const [program, ...args] = PROGRAMS[compression] as [string, ...string[]];
  return execFileSync(program, args, { input: bytes, maxBuffer: 1 << 28 });
}

/** Some of everything: a program, text, zeros, noise. */
function sample(): Buffer {
  const noise = Buffer.alloc(300_001);
  for (let index = 0, state = 7; index < noise.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    noise[index] = state >>> 24;
  }
  return Buffer.concat([
    readFileSync(process.execPath).subarray(0, 1_200_000),
    Buffer.from("all work and no play ".repeat(30_000)),
    Buffer.alloc(8_000_003),
    noise,
  ]);
}

describe("what is compressed is read by the program of that name, and the same however it arrives", () => {
  test.each(COMPRESSIONS.filter((one) => one !== "none"))("%s", { timeout: 60_000 }, async (compression) => {
    const bytes = sample();
    const packed = await compress(compression, bytes, 65_536);
    // lzop notes the second.
    if (compression === "lzo") await delay(1100);
    expect(decompress(compression, packed).equals(bytes)).toBe(true);
    expect((await compress(compression, bytes, 1_000_003)).equals(packed)).toBe(true);
    expect(packed.length).toBeLessThan(bytes.length * 0.6);
  });

  test.each(["gzip", "lz4"] as const)("%s of little", async (compression) => {
    for (const length of [0, 1, 4, 5, 12, 13, 17, 24, 32, 40]) {
      const bytes = Buffer.from("abababababababababababababababcdcdcdcdcd".slice(0, length));
      const packed = await compress(compression, bytes, 7);
      expect(decompress(compression, packed).toString()).toBe(bytes.toString());
    }
  });
});

test("gzip is one member, a little larger than gzip -6", async () => {
  const bytes = sample();
  const packed = await compress("gzip", bytes, 1 << 16);
  expect(gunzipSync(packed).equals(bytes)).toBe(true);
  const theirs = execFileSync("gzip", ["-6", "-n", "-c"], { input: bytes, maxBuffer: 1 << 28 });
  expect(packed.length / theirs.length).toBeLessThan(1.05);
});

test("lz4 is about as small as lz4 -1", async () => {
  const bytes = sample();
  const theirs = execFileSync("lz4", ["-l", "-1", "-c"], { input: bytes, maxBuffer: 1 << 28 });
  expect((await compress("lz4", bytes, 1 << 16)).length / theirs.length).toBeLessThan(1.05);
});

test("a program that compresses ends with the build that is taken back", async () => {
  const output = join(directory, "image");
  const abort = new AbortController();
  const tree = new FileTree();
  const content = { kind: "bytes", bytes: randomBytes(8_000_000) } as const;
  tree.add("/noise", { kind: "file", mode: 0o644, content, why: "noise" });
  const packed = writeInitramfs(tree, { output, compression: "xz", signal: abort.signal });
  await expect.poll(() => children("xz")).toHaveLength(1);
  abort.abort();
  await expect(packed).rejects.toMatchObject({ code: "INITRAMFS_ABORTED" });
  await expect.poll(() => children("xz")).toEqual([]);
  expect(readdirSync(directory)).toEqual([]);
});

/** Processes of that name which this one started. */
function children(name: string): string[] {
  const { stdout } = spawnSync("pgrep", ["-P", String(process.pid), "-x", name], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean);
}

test("a missing program is named, and nothing is left", async () => {
  const { PATH } = process.env;
  process.env["PATH"] = "/nowhere";
  try {
    const output = join(directory, "image");
    const packed = writeInitramfs(new FileTree(), { output, compression: "lzo" });
    await expect(packed).rejects.toThrow(InitramfsError);
    await expect(packed).rejects.toThrow(/The program "lzop", which compresses the image, is missing/);
  } finally {
    process.env["PATH"] = PATH;
  }
  expect(readdirSync(directory)).toEqual([]);
});
