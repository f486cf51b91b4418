import { describe, expect, test } from "vitest";
import { pieceCache, readAhead } from "../src/internal/read-ahead.ts";
import type { OpenFile } from "../src/index.ts";
import { content } from "./simulator/content.ts";

const PIECE = 128 * 1024;

/** A file that counts its readings and how many are under way. */
function counted(size: number, identity?: string) {
  const bytes = content(size);
  const counts = { readings: 0, now: 0, most: 0 };
  const file: OpenFile = {
    size,
    ...(identity === undefined ? {} : { identity }),
    async read(offset, length) {
      counts.readings++;
      counts.most = Math.max(counts.most, ++counts.now);
      await new Promise<void>((resolve) => setImmediate(resolve));
      counts.now--;
      return bytes.subarray(offset, offset + length);
    },
    close: () => Promise.resolve(),
  };
  return { file, bytes, counts };
}

async function readAll(file: OpenFile, cache = pieceCache(1 << 30), block = 1468): Promise<Buffer> {
  const source = readAhead(file, cache);
  const parts: Buffer[] = [];
  for (let offset = 0; offset < file.size; offset += block) {
    const part = Buffer.alloc(Math.min(block, file.size - offset));
    while (!source.fill(part, 0, offset, part.length)) await source.load(offset, part.length);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

describe("pieces of a file", () => {
  test.each([1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE + 7])(
    "%i bytes, each piece read once",
    async (size) => {
      const { file, bytes, counts } = counted(size);
      expect((await readAll(file)).equals(bytes)).toBe(true);
      expect(counts.readings).toBe(Math.ceil(size / PIECE));
    },
  );
  test("a reader that takes its time waits for the first piece only", async () => {
    const { file } = counted(10 * PIECE);
    const source = readAhead(file, pieceCache(1 << 30));
    let waits = 0;
    for (let offset = 0; offset < file.size; offset += 1468) {
      const part = Buffer.alloc(Math.min(1468, file.size - offset));
      while (!source.fill(part, 0, offset, part.length)) {
        waits++;
        await source.load(offset, part.length);
      }
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(waits).toBe(1);
  });
  test("those who read the same file share them, also while they are being read", async () => {
    const one = counted(5 * PIECE, "same");
    const cache = pieceCache(1 << 30);
    const all = await Promise.all(Array.from({ length: 50 }, () => readAll(one.file, cache)));
    expect(all.every((bytes) => bytes.equals(one.bytes))).toBe(true);
    expect(one.counts.readings).toBe(5);
  });
  test("files without a name do not", async () => {
    const [one, two] = [counted(1000), counted(1000)];
    const cache = pieceCache(1 << 30);
    await readAll(one.file, cache);
    await readAll(two.file, cache);
    expect(two.counts.readings).toBe(1);
  });
  test("no more is kept than is allowed, by many readers of many files, and all of them get on", async () => {
    const files = Array.from({ length: 40 }, (_, index) => counted(4 * PIECE, `file ${index}`));
    const cache = pieceCache(3 * PIECE);
    const all = await Promise.all(files.map(({ file }) => readAll(file, cache)));
    expect(all.every((bytes, index) => bytes.equals(files[index]?.bytes ?? Buffer.alloc(0)))).toBe(true);
    expect(cache.bytes).toBeLessThanOrEqual(3 * PIECE);
  });
  test("at most 16 are read at a time", async () => {
    const one = counted(200 * PIECE, "large");
    const cache = pieceCache(1 << 30);
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => readAhead(one.file, cache).load(index * PIECE, 1000)),
    );
    expect(one.counts.most).toBeLessThanOrEqual(16);
    expect(one.counts.readings).toBe(200);
  });
});
