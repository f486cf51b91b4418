import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { type KernelCompression, kernelDecompress } from "../src/index.ts";

const MIB = 1 << 20;
/** Programs that write the format as the kernel takes it, and in how large pieces it is handed on. */
const FORMATS: Readonly<
  Record<KernelCompression, { readonly pack: readonly string[]; readonly piece: number }>
> = {
  gzip: { pack: ["gzip", "-6", "-c"], piece: 32 << 10 },
  bzip2: { pack: ["bzip2", "-1", "-c"], piece: 4 << 10 },
  lzma: { pack: ["xz", "--format=lzma", "--lzma1=preset=1,dict=64KiB", "-c"], piece: 64 << 10 },
  xz: { pack: ["xz", "--check=crc32", "-1", "-c"], piece: 4 << 10 },
  lzo: { pack: ["lzop", "-1", "-c"], piece: 256 << 10 },
  lz4: { pack: ["lz4", "-l", "-1", "-c"], piece: 8 * MIB },
  zstd: { pack: ["zstd", "-1", "-c"], piece: 128 << 10 },
};
const NAMES = Object.keys(FORMATS) as KernelCompression[];

function run([program, ...args]: readonly string[], input: Uint8Array): Buffer {
  return execFileSync(program as string, args, {
    input,
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

/** Numbers that are the same in each run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const PROGRAM = readFileSync(process.execPath).subarray(MIB, 3 * MIB);

/** Programs, text, zeros and noise, in this order over and over. */
function sample(size: number, seed = 7): Buffer {
  const next = random(seed);
  const parts: Buffer[] = [];
  for (let length = 0; length < size; length += 40_000) {
    const from = next(MIB);
    parts.push(
      PROGRAM.subarray(from, from + 15_000),
      Buffer.from("all work and no play ".repeat(500)).subarray(0, 10_000),
      Buffer.alloc(10_000),
      Buffer.from(Array.from({ length: 5000 }, () => next(256))),
    );
  }
  return Buffer.concat(parts).subarray(0, size);
}

/** Of lzma the kernel leaves the last byte if nothing more depends on it; it is zero then. */
function expectAllConsumed(format: KernelCompression, member: Uint8Array, consumed: number): void {
  const left = member.subarray(consumed);
  expect([...left]).toEqual(format === "lzma" && left.length === 1 ? [0] : []);
}

/** A short member of each format, to follow another. */
const OTHERS = NAMES.map((name) => run(FORMATS[name].pack, sample(500)));

const total = (pieces: readonly Uint8Array[]): Buffer => Buffer.concat(pieces);

describe.each(NAMES)("%s", (format) => {
  const { pack, piece } = FORMATS[format];
  const border = Math.min(piece, MIB);

  test.each([0, 1, 100, border - 1, border, border + 1, 2 * border, 3 * MIB + 5])("of %i bytes", (size) => {
    const bytes = sample(size);
    const member = run(pack, bytes);
    const { pieces, consumed, error } = kernelDecompress(format, member);
    expect(error).toBeUndefined();
    expectAllConsumed(format, member, consumed);
    expect(total(pieces).equals(bytes)).toBe(true);
    const sizes = Array.from({ length: Math.ceil(size / piece) }, (_, index) =>
      Math.min(piece, size - index * piece),
    );
    expect(pieces.map(({ length }) => length)).toEqual(sizes);
  });

  test("ends where it ends, whatever follows", () => {
    const bytes = sample(70_000);
    const member = run(pack, bytes);
    for (const next of [Buffer.alloc(3), Buffer.alloc(900), Buffer.from("070701"), sample(1000), ...OTHERS]) {
      // lz4 alone reads on; zeros keep it from that.
      const image = Buffer.concat([member, Buffer.alloc(format === "lz4" ? 4 : 0), next]);
      const { pieces, consumed, error } = kernelDecompress(format, image);
      expect(error).toBeUndefined();
      expectAllConsumed(format, member, consumed);
      expect(total(pieces).equals(bytes)).toBe(true);
    }
  });

  test("cut off anywhere it is an error, after what came before", () => {
    const next = random(3);
    const bytes = sample(300_000);
    const member = run(pack, bytes);
    const cuts = [
      0,
      1,
      2,
      5,
      12,
      member.length - 1,
      ...Array.from({ length: 30 }, () => next(member.length)),
    ];
    for (const length of cuts) {
      const { pieces, error, consumed, readsBeyond } = kernelDecompress(format, member.subarray(0, length));
      // The trailer of gzip is not looked at, and lz4 has no end.
      const isWhole =
        (format === "gzip" && consumed > length) ||
        (format === "lz4" && consumed > 0 && length - consumed < 4);
      if (!isWhole) expect(error, `${length} of ${member.length}`).toBeTypeOf("string");
      expect(readsBeyond === undefined || ["gzip", "lz4", "bzip2"].includes(format)).toBe(true);
      if (readsBeyond === undefined) {
        expect(total(pieces).equals(bytes.subarray(0, total(pieces).length))).toBe(true);
      }
    }
  });

  test("damaged anywhere it neither throws nor hangs", { timeout: 60_000 }, () => {
    const seed = Number(process.env["FUZZ_SEED"] ?? 261_126);
    const next = random(seed);
    const member = run(pack, sample(100_000, seed));
    const started = performance.now();
    for (let round = 0; round < 150 && performance.now() - started < 5000; round++) {
      const damaged = Buffer.from(member);
      for (let times = next(3); times >= 0; times--) {
        damaged[next(next(2) === 0 ? 40 : damaged.length)] = next(256);
      }
      const before = performance.now();
      const { pieces } = kernelDecompress(format, damaged, { maxBytes: 16 * MIB });
      expect(total(pieces).length, `seed ${seed}`).toBeLessThanOrEqual(16 * MIB);
      expect(performance.now() - before, `seed ${seed}`).toBeLessThan(20_000);
    }
  });

  test("a bomb ends at the limit", () => {
    const member = run(pack, Buffer.alloc(20 * MIB));
    const { error } = kernelDecompress(format, member, { maxBytes: 9 * MIB });
    expect(error).toMatch(/^It unpacks to too much: more than 9437184 bytes/);
  });
});

describe("gzip is not looked at too closely", () => {
  const member = gzipSync(sample(1000));

  test("neither checksum nor size are verified", () => {
    const damaged = Buffer.from(member).fill(0x55, member.length - 8);
    const { error, consumed } = kernelDecompress("gzip", damaged);
    expect({ error, consumed }).toEqual({ error: undefined, consumed: member.length });
  });

  test("a trailer that the image lacks is consumed all the same", () => {
    const { error, consumed, readsBeyond } = kernelDecompress("gzip", member.subarray(0, -5));
    expect({ error, consumed, readsBeyond }).toEqual({
      error: undefined,
      consumed: member.length,
      readsBeyond: true,
    });
  });

  test("a name is stepped over, other fields of the header are not", () => {
    const withField = (flag: number, field: Buffer): Buffer => {
      const header = Buffer.from(member.subarray(0, 10));
      header[3] = flag;
      return Buffer.concat([header, field, member.subarray(10)]);
    };
    const name = withField(8, Buffer.from("name\0"));
    expect(kernelDecompress("gzip", name)).toMatchObject({ consumed: name.length });
    expect(kernelDecompress("gzip", name).error).toBeUndefined();
    expect(kernelDecompress("gzip", withField(16, Buffer.from("why\0"))).error).toBe("uncompression error");
    expect(kernelDecompress("gzip", withField(4, Buffer.from("\x04\0abcd"))).error).toBe(
      "uncompression error",
    );
    expect(kernelDecompress("gzip", withField(8, Buffer.from("x".repeat(3))).subarray(0, 13)).error).toBe(
      "header error",
    );
  });

  test("the output before a damaged block is kept to the byte", () => {
    const text = sample(40_000);
    const stored = gzipSync(text, { level: 0 });
    const { pieces, error } = kernelDecompress("gzip", Buffer.concat([stored.subarray(0, 10 + 5 + 20_000)]));
    expect(error).toBe("read error");
    expect(total(pieces).equals(text.subarray(0, 20_000))).toBe(true);
  });
});

describe("what is no member of the format", () => {
  test.each([
    ["gzip", "Not a gzip file"],
    ["bzip2", "decompressor failed"],
    ["xz", "Input is not in the XZ format (wrong magic bytes)"],
    ["lzo", "invalid header"],
    ["lz4", "invalid header"],
    ["zstd", "Input is not in the ZSTD format (wrong magic bytes)"],
  ] as const)("%s", (format, message) => {
    const member = run(FORMATS[format].pack, sample(100));
    // The first two bytes had the kernel take it for the format.
    const other = Buffer.concat([member.subarray(0, 2), Buffer.from("no".repeat(50))]);
    expect(kernelDecompress(format, other)).toEqual({
      pieces: [],
      consumed: expect.any(Number),
      error: message,
    });
  });

  test("the older magic of gzip", () => {
    expect(kernelDecompress("gzip", Buffer.from("\x1f\x9e".padEnd(20), "latin1")).error).toBe(
      "Not a gzip file",
    );
  });
});
