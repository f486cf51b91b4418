import { describe, expect, it } from "vitest";
import {
  type CpioErrorCode,
  type CpioInput,
  decodeCpio,
  encodeCpio,
  type PackOptions,
  packCpio,
} from "../src/index.ts";
import { chunksOf, codeOf, packAll, packAllSync } from "./collect.ts";

const file = (more: object = {}): CpioInput => ({ type: "file", name: "f", ...more });
const source = (size: number, ...chunks: unknown[]): object => ({ data: { size, open: () => chunks } });

async function* stream<T>(values: readonly T[]): AsyncGenerator<T> {
  for (const value of values) yield await Promise.resolve(value);
}

describe("defaults", () => {
  it("depend on nothing but the entries", async () => {
    const entries: CpioInput[] = [
      { type: "directory", name: "d" },
      { type: "file", name: "d/f" },
      { type: "symlink", name: "d/l", target: "f" },
      { type: "character", name: "null", rdev: { major: 1, minor: 3 } },
      { type: "fifo", name: "p" },
    ];
    const archive = encodeCpio(entries);
    expect(archive.length % 512).toBe(0);
    expect(Buffer.from(await packAll(entries)).equals(archive)).toBe(true);
    expect(Buffer.from(archive).equals(encodeCpio(entries))).toBe(true);
    const read = decodeCpio(archive);
    expect(read.map(({ mode }) => mode.toString(8))).toEqual(["40755", "100644", "120777", "20600", "10600"]);
    expect(read.map(({ ino }) => ino)).toEqual([0, 1, 2, 3, 4]);
    expect(read.map(({ nlink }) => nlink)).toEqual([2, 1, 1, 1, 1]);
    for (const { uid, gid, mtime, dev } of read)
      expect([uid, gid, mtime, dev.major, dev.minor]).toEqual([0, 0, 0, 0, 0]);
  });

  it("make a segment that others can be appended to", () => {
    const segment = (name: string, firstInode: number): Uint8Array =>
      encodeCpio([{ type: "file", name, data: "x" }], { trailer: false, blockSize: 4, firstInode });
    const all = Buffer.concat([segment("a", 0), segment("b", 1), encodeCpio([])]);
    expect(decodeCpio(all).map(({ name, ino, segment }) => [name, ino, segment])).toEqual([
      ["a", 0, 0],
      ["b", 1, 0],
    ]);
  });
});

describe("hard links", () => {
  const first: CpioInput = { type: "file", name: "a", data: "data", uid: 7, mtime: 9 };
  const links: CpioInput[] = [
    { type: "link", name: "b", linkTo: "a" },
    { type: "link", name: "c", linkTo: Buffer.from("a") },
  ];

  it("are counted in an array, share a number and carry the data once", () => {
    const read = decodeCpio(encodeCpio([first, file(), ...links]));
    expect(read.map(({ name, ino, nlink, data, uid }) => [name, ino, nlink, data.length, uid])).toEqual([
      ["a", 0, 3, 4, 7],
      ["f", 1, 1, 0, 0],
      ["b", 0, 3, 0, 7],
      ["c", 0, 3, 0, 7],
    ]);
    expect(new Set(read.map(({ linkKey }) => linkKey)).size).toBe(2);
  });

  it("need the count of names in a stream", async () => {
    expect(await codeOf(() => packAll(stream([first, ...links])))).toBe("CPIO_LINK");
    const counted = [{ ...first, nlink: 3 }, ...links];
    expect((await packAll(stream(counted))).equals(encodeCpio([first, ...links]))).toBe(true);
  });

  it("are refused when the count is not kept, or the first name is missing or can't have links", async () => {
    const cases: CpioInput[][] = [
      [{ ...first, nlink: 4 }, ...links],
      [{ ...first, nlink: 2 }, ...links],
      links,
      [...links, first],
      [{ type: "directory", name: "a" }, ...links],
      [{ type: "symlink", name: "a", target: "x" }, ...links],
      [first, ...links, { type: "link", name: "d", linkTo: "b" }],
    ];
    for (const entries of cases) expect(await codeOf(() => encodeCpio(entries))).toBe("CPIO_LINK");
  });
});

describe("what is refused", () => {
  it.each<[string, CpioErrorCode, CpioInput]>([
    ["a file of 4 GiB", "CPIO_UNREPRESENTABLE", file(source(2 ** 32))],
    ["a size below 0", "CPIO_UNREPRESENTABLE", file(source(-1))],
    ["a broken size", "CPIO_UNREPRESENTABLE", file(source(1.5))],
    ["an empty name", "CPIO_UNREPRESENTABLE", file({ name: "" })],
    ["a NUL in a name", "CPIO_UNREPRESENTABLE", file({ name: "a\0b" })],
    ["a name of 4096 bytes", "CPIO_UNREPRESENTABLE", file({ name: "\u00f6".repeat(2048) })],
    ["the trailer's name", "CPIO_UNREPRESENTABLE", file({ name: "TRAILER!!!" })],
    ["the trailer's name as bytes", "CPIO_UNREPRESENTABLE", file({ name: Buffer.from("TRAILER!!!") })],
    ["a time before 1970", "CPIO_UNREPRESENTABLE", file({ mtime: -1 })],
    ["a time of 2106", "CPIO_UNREPRESENTABLE", file({ mtime: 2 ** 32 })],
    ["half a second", "CPIO_UNREPRESENTABLE", file({ mtime: 0.5 })],
    ["a uid above 32 bits", "CPIO_UNREPRESENTABLE", file({ uid: 2 ** 32 })],
    ["a gid that is no number", "CPIO_UNREPRESENTABLE", file({ gid: Number.NaN })],
    ["a mode above 16 bits", "CPIO_UNREPRESENTABLE", file({ mode: 0o200644 })],
    ["a mode of another type", "CPIO_INVALID_INPUT", file({ mode: 0o040755 })],
    ["a symlink to nothing", "CPIO_UNREPRESENTABLE", { type: "symlink", name: "l", target: "" }],
    ["a NUL in a target", "CPIO_UNREPRESENTABLE", { type: "symlink", name: "l", target: "a\0" }],
    ["a target of 4096", "CPIO_UNREPRESENTABLE", { type: "symlink", name: "l", target: "t".repeat(4096) }],
    [
      "a symlink without a target",
      "CPIO_INVALID_INPUT",
      { type: "symlink", name: "l" } as unknown as CpioInput,
    ],
    [
      "a device without a number",
      "CPIO_UNREPRESENTABLE",
      { type: "block", name: "b" } as unknown as CpioInput,
    ],
    ["a name that is a number", "CPIO_INVALID_INPUT", file({ name: 5 })],
    ["data that are a number", "CPIO_INVALID_INPUT", file({ data: 5 })],
    ["an unknown type", "CPIO_INVALID_INPUT", file({ type: "door" })],
    ["no entry", "CPIO_INVALID_INPUT", null as unknown as CpioInput],
    ["too much data", "CPIO_SIZE_MISMATCH", file(source(3, Buffer.from("ab"), Buffer.from("cd")))],
    ["too little data", "CPIO_SIZE_MISMATCH", file(source(5, Buffer.from("ab")))],
    ["chunks of text", "CPIO_INVALID_INPUT", file(source(5, "hello"))],
  ])("%s", async (_, code, input) => {
    expect(await codeOf(() => encodeCpio([input]))).toBe(code);
    expect(await codeOf(() => packAll([input]))).toBe(code);
    expect(await codeOf(() => packAllSync([input]))).toBe(code);
    expect(await codeOf(() => packAll(stream([input]), { format: "crc" }))).toBe(code);
  });

  it.each<[string, PackOptions]>([
    ["an unknown format", { format: "odc" as "newc" }],
    ["a block size that is no multiple of 4", { blockSize: 510 }],
    ["a block size of 0", { blockSize: 0 }],
    ["a first inode below 0", { firstInode: -1 }],
    ["an alignment that is no power of two", { dataAlign: 24 }],
    ["an alignment beyond a page", { dataAlign: 8192 }],
  ])("%s", async (_, options) => {
    expect(await codeOf(() => encodeCpio([file()], options))).toBe("CPIO_INVALID_INPUT");
    expect(await codeOf(() => packAll([file()], options))).toBe("CPIO_INVALID_INPUT");
  });

  it("more inode numbers than 32 bits hold", async () => {
    expect(decodeCpio(encodeCpio([file()], { firstInode: 0xffff_ffff }))[0]?.ino).toBe(0xffff_ffff);
    const entries = [file(), file({ name: "g" })];
    expect(await codeOf(() => encodeCpio(entries, { firstInode: 0xffff_ffff }))).toBe("CPIO_UNREPRESENTABLE");
  });

  it("asynchronous data in memory, and data that change between two readings", async () => {
    const open = (): AsyncIterable<Uint8Array> => stream([Buffer.from("abc")]);
    const input = file({ data: { size: 3, open } });
    expect(await codeOf(() => encodeCpio([input]))).toBe("CPIO_INVALID_INPUT");
    expect(await codeOf(() => packAllSync([input]))).toBe("CPIO_INVALID_INPUT");
    expect((await packAll([input])).equals(encodeCpio([file({ data: "abc" })]))).toBe(true);
    let reading = 0;
    const changing = file({ data: { size: 1, open: () => [Uint8Array.of(reading++)] } });
    expect(await codeOf(() => packAll([changing], { format: "crc" }))).toBe("CPIO_SIZE_MISMATCH");
  });
});

describe("alignment", () => {
  it("puts data of a block and more at a multiple of it, as gen_init_cpio -a", () => {
    const sizes = [1, 4095, 4096, 4097, 9000];
    const entries = sizes.map((size) => file({ name: `f${size}`, data: "x".repeat(size) }));
    const archive = encodeCpio(entries, { dataAlign: 4096 });
    const places = sizes.map((size) => Buffer.from(archive).indexOf(`f${size}\0`));
    const read = decodeCpio(archive);
    expect(read.map(({ name }) => name)).toEqual(sizes.map((size) => `f${size}`));
    for (const [index, { data, size }] of read.entries()) {
      const start = data.byteOffset - archive.byteOffset;
      expect(start % 4096 === 0).toBe(size > 4096);
      expect(start).toBeGreaterThan(places[index] as number);
    }
  });

  it("leaves a name alone that would become longer than Linux takes", () => {
    const name = "n".repeat(4000);
    const [entry] = decodeCpio(encodeCpio([file({ name, data: "x".repeat(5000) })], { dataAlign: 4096 }));
    expect(entry?.name).toBe(name);
    expect(entry?.data.byteOffset).not.toBe(4096);
  });
});

describe("synchronous", () => {
  it("takes sources that use one buffer again, and writes with one", () => {
    const buffer = new Uint8Array(50_000);
    function* open(): Generator<Uint8Array> {
      for (const length of [50_000, 10, 40_000, 3]) yield buffer.fill(length).subarray(0, length);
    }
    const size = 90_013;
    const entries = Array.from({ length: 9 }, (_, index) => file({ name: `${index}`, data: { size, open } }));
    const data = Buffer.concat([50_000, 10, 40_000, 3].map((length) => Buffer.alloc(length, length)));
    const plain = Array.from({ length: 9 }, (_, index) => file({ name: `${index}`, data }));
    expect(packAllSync(entries).equals(encodeCpio(plain))).toBe(true);
    expect(packAllSync(entries, { format: "crc" }).equals(encodeCpio(plain, { format: "crc" }))).toBe(true);
  });

  it("refuses asynchronous sources", async () => {
    const input = file({ data: { size: 3, open: () => stream([...chunksOf(Buffer.from("abc"), 1)]) } });
    expect(await codeOf(() => packAllSync([input]))).toBe("CPIO_INVALID_INPUT");
  });
});

describe("streaming", () => {
  it("needs little memory, and passes large data along", async () => {
    const chunk = Buffer.alloc(1 << 20, 7);
    function* chunks(): Generator<Uint8Array> {
      for (let count = 0; count < 256; count++) yield chunk;
    }
    const entries = Array.from({ length: 2 }, (_, index) =>
      file({ name: String(index), data: { size: 1 << 28, open: chunks } }),
    );
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let total = 0;
    for await (const piece of packCpio(entries)) {
      total += piece.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(total).toBe(2 * ((1 << 28) + 112) + 512 - (224 % 512));
    expect(most).toBeLessThan(8 * 1024 * 1024);
  });

  it("gives chunks that stay as they were", async () => {
    const entries = Array.from({ length: 3000 }, (_, index) =>
      file({ name: `f${index}`, data: "x".repeat(index) }),
    );
    const kept: Uint8Array[] = [];
    const copies: Buffer[] = [];
    for await (const chunk of packCpio(stream(entries))) {
      kept.push(chunk);
      copies.push(Buffer.from(chunk));
    }
    expect(kept.length).toBeGreaterThan(5);
    expect(Buffer.concat(kept).equals(Buffer.concat(copies))).toBe(true);
    expect(Buffer.concat(kept).equals(encodeCpio(entries))).toBe(true);
  });

  it("passes the errors of a source and closes it", async () => {
    let closed = false;
    function* open(): Generator<Uint8Array> {
      try {
        yield Buffer.alloc(100_000);
        throw new Error("disk on fire");
      } finally {
        closed = true;
      }
    }
    await expect(packAll([file({ data: { size: 200_000, open } })])).rejects.toThrow("disk on fire");
    expect(closed).toBe(true);
  });
});
