import { execFileSync } from "node:child_process";
import { constants, crc32, zstdCompressSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { kernelDecompress } from "../src/index.ts";

const TEXT = Buffer.from("all work and no play makes jack a dull boy ".repeat(8000));

function run([program, ...args]: readonly string[], input: Uint8Array): Buffer {
  return execFileSync(program as string, args, {
    input,
    maxBuffer: 1 << 28,
    stdio: ["pipe", "pipe", "ignore"],
  });
}

describe("xz", () => {
  const SETTINGS = "Input was encoded with settings that are not supported by this XZ decoder";
  const CORRUPT = "XZ-compressed data is corrupt";
  const program = Buffer.concat(
    Array.from({ length: 3000 }, (_, index) =>
      Buffer.from([0x90, 0xe8, index & 255, 0, 0, 0, 0xe9, 0xe8, 0xff]),
    ),
  );

  test.each([
    ["no check", ["--check=none"], undefined],
    ["CRC32", ["--check=crc32"], undefined],
    ["CRC64, which xz uses unless told", [], SETTINGS],
    ["SHA-256", ["--check=sha256"], SETTINGS],
    ["several blocks", ["--check=crc32", "--block-size=10000"], undefined],
    ["blocks with sizes", ["--check=crc32", "--block-size=10000", "--threads=2"], undefined],
    ["a dictionary of 64 MiB", ["--check=crc32", "--lzma2=dict=64MiB"], undefined],
    ["the filter of x86", ["--check=crc32", "--x86", "--lzma2"], undefined],
    ["that of ARM", ["--check=crc32", "--arm", "--lzma2"], SETTINGS],
    ["that of ARM64, which 6.12 has on every machine", ["--check=crc32", "--arm64", "--lzma2"], undefined],
    ["delta", ["--check=crc32", "--delta", "--lzma2"], SETTINGS],
    ["two filters before LZMA2", ["--check=crc32", "--x86", "--delta", "--lzma2"], SETTINGS],
    ["a filter that starts elsewhere", ["--check=crc32", "--x86=start=4096", "--lzma2"], SETTINGS],
  ])("%s", (_, options, message) => {
    const { pieces, error } = kernelDecompress("xz", run(["xz", ...options, "-c"], program));
    expect(error).toBe(message);
    if (error === undefined) expect(Buffer.concat(pieces).equals(program)).toBe(true);
  });

  test("the filter of ARM64 is known since 6.12", () => {
    const member = run(["xz", "--check=crc32", "--arm64", "--lzma2", "-c"], program);
    const { pieces, error } = kernelDecompress("xz", member, { arch: "arm64", kernel: "6.12.3" });
    expect(error).toBeUndefined();
    expect(Buffer.concat(pieces).equals(program)).toBe(true);
    expect(kernelDecompress("xz", member, { arch: "arm64", kernel: "6.1" }).error).toBe(SETTINGS);
    expect(
      kernelDecompress("xz", run(["xz", "--check=crc32", "--x86", "--lzma2", "-c"], program), {
        arch: "arm64",
      }).error,
    ).toBe(SETTINGS);
  });

  test("a second stream is not part of the member, nor is padding", () => {
    const member = run(["xz", "--check=crc32", "-c"], TEXT);
    expect(kernelDecompress("xz", Buffer.concat([member, Buffer.alloc(8), member])).consumed).toBe(
      member.length,
    );
  });

  test("checksums are verified, after the data was handed on", () => {
    const member = run(["xz", "--check=crc32", "--lzma2=preset=0", "-c"], TEXT);
    // Footer 12, index 8 or more: the checksum of the block ends where the index begins.
    const size = (member.readUInt32LE(member.length - 8) + 1) * 4;
    const check = member.length - 12 - size - 4;
    member[check] = (member[check] as number) ^ 1;
    const { pieces, error } = kernelDecompress("xz", member);
    expect(error).toBe(CORRUPT);
    expect(Buffer.concat(pieces).equals(TEXT)).toBe(true);
  });
});

describe("zstd", () => {
  const PROBABLY = "ZSTD-compressed data is probably corrupt";

  test.each([
    ["a window of 128 MiB", ["--long=27"], undefined],
    ["a window of 256 MiB", ["--long=28"], PROBABLY],
  ])("%s", (_, options, message) => {
    // From a pipe the size is not known, and the window is as large as told.
    const member = run(["zstd", "-1", ...options, "-c"], TEXT);
    expect(kernelDecompress("zstd", member).error).toBe(message);
  });

  test("a small frame that tells its size may have any window", () => {
    const small = run(["zstd", "-1", "--long=28", "-c"], Buffer.from("small"));
    // Of its descriptor the size of the size; then the size itself, less 256.
    const told = Buffer.concat([small.subarray(0, 6), Buffer.alloc(2), small.subarray(6)]);
    told[4] = (told[4] as number) | 0x40;
    expect(kernelDecompress("zstd", told).error).toBe("ZSTD-compressed data is corrupt");
    const text = TEXT.subarray(0, 256);
    const whole = run(["zstd", "-1", "--long=28", "-c"], text);
    const right = Buffer.concat([whole.subarray(0, 6), Buffer.alloc(2), whole.subarray(6)]);
    right[4] = (right[4] as number) | 0x40;
    expect(kernelDecompress("zstd", right).error).toBeUndefined();
  });

  test("one frame; a second one, or one to be skipped, is left to the unpacker", () => {
    const frame = zstdCompressSync(TEXT);
    const skippable = Buffer.from("502a4d180400000000000000", "hex");
    for (const next of [frame, skippable]) {
      expect(kernelDecompress("zstd", Buffer.concat([frame, next])).consumed).toBe(frame.length);
    }
    expect(kernelDecompress("zstd", skippable).error).toBe(
      "Input is not in the ZSTD format (wrong magic bytes)",
    );
  });

  test("the checksum is verified, and the piece that is not full is lost with it", () => {
    const frame = zstdCompressSync(TEXT, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    const last = frame.length - 1;
    frame[last] = (frame[last] as number) ^ 1;
    const { pieces, error } = kernelDecompress("zstd", frame);
    expect(error).toBe("ZSTD-compressed data is corrupt");
    expect(pieces.map(({ length }) => length)).toEqual([131_072, 131_072]);
  });

  test("a dictionary is not had", () => {
    const frame = Buffer.from("28b52ffd2105000100000000", "hex");
    frame[5] = 7;
    expect(kernelDecompress("zstd", frame).error).toBe(PROBABLY);
  });

  test("cut off", () => {
    const frame = zstdCompressSync(TEXT);
    expect(kernelDecompress("zstd", frame.subarray(0, -9)).error).toBe("ZSTD-compressed data is truncated");
    expect(kernelDecompress("zstd", frame.subarray(0, 5)).error).toBe(
      "ZSTD-compressed data has an incomplete frame header",
    );
  });
});

describe("lz4", () => {
  const member = run(["lz4", "-l", "-c"], TEXT);

  test("the frame format is not known", () => {
    const frame = run(["lz4", "-c"], TEXT);
    expect(kernelDecompress("lz4", Buffer.concat([Buffer.from([2, 0x21]), frame])).error).toBe(
      "invalid header",
    );
  });

  test("one after the other is one", () => {
    const two = Buffer.concat([member, member]);
    const { pieces, consumed, error } = kernelDecompress("lz4", two);
    expect({ error, consumed }).toEqual({ error: undefined, consumed: two.length });
    expect(pieces.map(({ length }) => length)).toEqual([TEXT.length, TEXT.length]);
  });

  test("what follows without four zeros is taken for a block", () => {
    const image = Buffer.concat([member, Buffer.from("070701".padEnd(200, "0"))]);
    const { pieces, error } = kernelDecompress("lz4", image);
    expect(error).toBe("Decoding failed");
    expect(Buffer.concat(pieces).equals(TEXT)).toBe(true);
    expect(kernelDecompress("lz4", member.subarray(0, -300))).toMatchObject({ readsBeyond: true });
    expect(kernelDecompress("lz4", Buffer.concat([member, Buffer.from("007")]))).toMatchObject({
      consumed: member.length,
    });
  });

  test("no block is larger than 8 MiB", () => {
    const size = (8 << 20) + 1;
    // Literals, whose length is 15 and then 255 for each of many bytes.
    const block = Buffer.concat([
      Buffer.from([0xf0]),
      Buffer.alloc(Math.floor((size - 15) / 255), 255),
      Buffer.from([(size - 15) % 255]),
      Buffer.alloc(size),
    ]);
    const head = Buffer.from("02214c1800000000", "hex");
    head.writeUInt32LE(block.length, 4);
    expect(kernelDecompress("lz4", Buffer.concat([head, block])).error).toBe("Decoding failed");
  });
});

describe("lzo", () => {
  test("checksums are not verified, but a second one for each block is not expected", () => {
    const member = run(["lzop", "-1", "-c"], TEXT);
    const damaged = Buffer.from(member);
    // The checksum of the header, and of the first block.
    damaged.fill(0x55, 34, 38);
    damaged.fill(0x55, 46, 50);
    expect(kernelDecompress("lzo", damaged)).toMatchObject({ consumed: member.length });
    expect(kernelDecompress("lzo", damaged).error).toBeUndefined();
    expect(kernelDecompress("lzo", run(["lzop", "-F", "-c"], TEXT)).error).toBeTypeOf("string");
  });

  test("no block is larger than 256 KiB", () => {
    const member = run(["lzop", "-1", "-c"], TEXT);
    member.writeUInt32BE((256 << 10) + 1, 38);
    expect(kernelDecompress("lzo", member).error).toBe("dest len longer than block size");
  });
});

describe("bzip2", () => {
  test("checksums are verified, of the stream after all was handed on", () => {
    const member = run(["bzip2", "-1", "-c"], TEXT);
    const block = Buffer.from(member);
    block[10] = (block[10] as number) ^ 1;
    expect(kernelDecompress("bzip2", block).error).toBe("Data integrity error when decompressing.");
    const stream = Buffer.from(member);
    stream[stream.length - 3] = (stream[stream.length - 3] as number) ^ 0x10;
    const { pieces, error } = kernelDecompress("bzip2", stream);
    expect(error).toBe("Data integrity error when decompressing.");
    expect(Buffer.concat(pieces).equals(TEXT)).toBe(true);
  });
});

describe("lzma", () => {
  const member = run(["xz", "--format=lzma", "-1", "-c"], TEXT);
  const sized = (size: number): Buffer => {
    const bytes = Buffer.from(member);
    bytes.writeBigUInt64LE(BigInt(size), 5);
    return bytes;
  };

  test("with its size told, the end marker is not read", () => {
    const { pieces, consumed, error } = kernelDecompress("lzma", sized(TEXT.length));
    expect(error).toBeUndefined();
    expect(consumed).toBeLessThan(member.length);
    expect(Buffer.concat(pieces).equals(TEXT)).toBe(true);
    expect(kernelDecompress("lzma", sized(TEXT.length + 1))).toMatchObject({ consumed: member.length });
  });

  test("a match past the size is an error, and no size at all", () => {
    expect(kernelDecompress("lzma", sized(TEXT.length - 1))).toMatchObject({
      pieces: [],
      error: "LZMA data is corrupt",
    });
    expect(kernelDecompress("lzma", sized(0)).error).toBe("decompressor failed");
  });

  test("a dictionary of one byte makes a piece of each, which has its limit too", () => {
    const zeros = run(["xz", "--format=lzma", "-0", "-c"], Buffer.alloc(1 << 20));
    zeros.writeUInt32LE(0, 1);
    expect(kernelDecompress("lzma", zeros).error).toMatch(/or 524288 pieces$/);
  });

  test("cut off, and no piece was full", () => {
    expect(kernelDecompress("lzma", member.subarray(0, -1))).toMatchObject({
      pieces: [],
      error: "unexpected EOF",
    });
  });
});

test("the index of xz has to fit", () => {
  const member = run(["xz", "--check=crc32", "-c"], TEXT);
  const size = (member.readUInt32LE(member.length - 8) + 1) * 4;
  const start = member.length - 12 - size;
  member[start + 2] = (member[start + 2] as number) ^ 1;
  member.writeUInt32LE(crc32(member.subarray(start, start + size - 4)), start + size - 4);
  expect(kernelDecompress("xz", member).error).toBe("XZ-compressed data is corrupt");
});
