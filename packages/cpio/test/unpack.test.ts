import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  type CpioEntry,
  type CpioErrorCode,
  decodeCpio,
  encodeCpio,
  type UnpackOptions,
  unpackCpio,
} from "../src/index.ts";
import { chunksOf, codeOf, dataOf, errorOf, unpackAll } from "./collect.ts";
import { rawEntry, TRAILER, ZEROS } from "./raw.ts";
import { gnuCpio } from "./tree.ts";

const A = rawEntry({ name: "a\0", data: "AAAA\n" });
const B = rawEntry({ name: "b\0", data: "B" });
const join = (...parts: Buffer[]): Buffer => Buffer.concat(parts);
const names = (bytes: Uint8Array): string[] => decodeCpio(bytes).map(({ name }) => name);

describe("what is accepted", () => {
  it("concatenated archives, with and without NULs between them", () => {
    const archive = join(A, TRAILER, B, TRAILER, ZEROS(388), A, TRAILER, ZEROS(1000));
    expect(decodeCpio(archive).map(({ name, segment }) => [name, segment])).toEqual([
      ["a", 0],
      ["b", 1],
      ["a", 2],
    ]);
  });

  it("archives without a trailer, and NULs before and after any entry", () => {
    expect(names(join(ZEROS(4), A, ZEROS(8), B))).toEqual(["a", "b"]);
    expect(names(join(TRAILER))).toEqual([]);
  });

  it("digits of both cases and both formats in one archive", () => {
    const lower = rawEntry({ name: "l\0", ino: 0xabcdef01, lowerCase: true });
    const crc = rawEntry({ magic: "070702", name: "c\0", data: "abc", checksum: 97 + 98 + 99 });
    expect(
      decodeCpio(join(lower, crc, TRAILER)).map(({ ino, format, checksum }) => [ino, format, checksum]),
    ).toEqual([
      [0xabcdef01, "newc", 0],
      [0, "crc", 294],
    ]);
  });

  it("names and targets that are padded with NULs to align the data", () => {
    // As gen_init_cpio -a writes: the data start at byte 4096.
    const aligned = rawEntry({ name: `big${"\0".repeat(4096 - 110 - 3)}`, data: "data" });
    expect(aligned.indexOf("data")).toBe(4096);
    const link = rawEntry({ name: "link\0\0\0", mode: 0o120777, data: "big\0\0" });
    const [big, symlink] = decodeCpio(join(aligned, link, TRAILER));
    expect([big?.name, Buffer.from(big?.data ?? []).toString()]).toEqual(["big", "data"]);
    expect([symlink?.name, symlink?.target, symlink?.size]).toEqual(["link", "big", 5]);
  });

  it("the longest name, a sum above 2^32 - 1 and a header that looks like data", async () => {
    const nested = rawEntry({ name: "nested\0", data: join(A, TRAILER).toString("latin1") });
    expect(names(join(nested, B, TRAILER))).toEqual(["nested", "b"]);
    expect(names(join(rawEntry({ name: `${"n".repeat(4095)}\0` }), TRAILER))[0]).toHaveLength(4095);
    const size = 0x0110_0000; // times 255 exceeds 32 bits
    const archive = encodeCpio([{ type: "file", name: "ff", data: new Uint8Array(size).fill(255) }], {
      format: "crc",
    });
    const [entry] = await unpackAll(chunksOf(archive, 1_000_003));
    expect(entry?.checksum).toBe((size * 255) % 2 ** 32);
    expect(gnuCpio(["-i", "--only-verify-crc"], { input: archive }).length).toBe(0);
  });

  it("tells names of one file by the kernel's rule", () => {
    const entries = [
      rawEntry({ name: "1\0", ino: 7, nlink: 2 }),
      rawEntry({ name: "2\0", ino: 7, nlink: 2, data: "x" }),
      rawEntry({ name: "3\0", ino: 7, nlink: 1 }),
      rawEntry({ name: "4\0", ino: 7, nlink: 2, mode: 0o120777, data: "t" }),
      rawEntry({ name: "5\0", ino: 7, nlink: 2, mode: 0o020600 }),
      rawEntry({ name: "6\0", ino: 7, nlink: 2, mode: 0o040755 }),
    ];
    const keys = decodeCpio(join(...entries, TRAILER, entries[0] as Buffer)).map(({ linkKey }) => linkKey);
    expect(keys[0]).toBe(keys[1]);
    expect(keys[2]).toBeUndefined();
    expect(keys[3]).toBeUndefined();
    expect(keys[5]).toBeUndefined();
    expect(new Set([keys[0], keys[4], keys[6]]).size).toBe(3);
  });
});

describe("what is refused", () => {
  it.each<[string, CpioErrorCode, Buffer, UnpackOptions?]>([
    ["nothing", "CPIO_EMPTY", ZEROS(0)],
    ["NULs alone", "CPIO_EMPTY", ZEROS(512)],
    ["text after an entry", "CPIO_FOREIGN", join(A, Buffer.from("junk that is no header"))],
    ["text after a trailer", "CPIO_FOREIGN", join(A, TRAILER, Buffer.from("junk"))],
    ["an unaligned archive after NULs", "CPIO_ALIGNMENT", join(A, TRAILER, ZEROS(2), B)],
    ["an unknown variant", "CPIO_FOREIGN", rawEntry({ magic: "070703", name: "a\0" })],
    ["part of a magic", "CPIO_TRUNCATED", join(A, Buffer.from("0707"))],
    ["0x in a field", "CPIO_HEADER", Buffer.from(A.toString("latin1").replace("000081A4", "0x0081A4"))],
    ["a blank in a field", "CPIO_HEADER", Buffer.from(A.toString("latin1").replace("000081A4", "    81A4"))],
    ["no name", "CPIO_NAME", rawEntry({ name: "" })],
    ["an empty name", "CPIO_NAME", rawEntry({ name: "\0" })],
    ["a name without NUL", "CPIO_NAME", join(rawEntry({ name: "abcd" }), TRAILER)],
    ["a name whose NUL is padding", "CPIO_NAME", join(rawEntry({ name: "abc" }), TRAILER)],
    ["bytes after the NUL of a name", "CPIO_NAME", rawEntry({ name: "a\0b\0" })],
    ["a name of 4096 bytes", "CPIO_NAME", rawEntry({ name: `${"n".repeat(4096)}\0` })],
    ["a name of 4 GiB", "CPIO_NAME", rawEntry({ name: "a\0", nameSize: 0xffff_ffff })],
    ["a file of 4 GiB that ends", "CPIO_TRUNCATED", rawEntry({ name: "a\0", size: 0xffff_ffff, data: "x" })],
    ["a mode without a type", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o644 })],
    ["a mode of an unknown type", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o150644 })],
    ["a mode above 16 bits", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o1100644 })],
    ["a directory with data", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o040755, data: "x" })],
    ["a device with data", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o020600, data: "x" })],
    ["a trailer with data", "CPIO_HEADER", rawEntry({ name: "TRAILER!!!\0", mode: 0, data: "x" })],
    ["a symlink to nothing", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o120777 })],
    ["a symlink to NULs", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o120777, data: "\0\0" })],
    ["a symlink with two targets", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o120777, data: "b\0c" })],
    ["a target of 4096", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o120777, data: "t".repeat(4096) })],
    ["a target of 4 GiB", "CPIO_HEADER", rawEntry({ name: "a\0", mode: 0o120777, size: 0xffff_ffff })],
    ["a wrong sum", "CPIO_CHECKSUM", join(rawEntry({ magic: "070702", name: "a\0", data: "x" }), TRAILER)],
    ["no trailer where it is required", "CPIO_TRUNCATED", join(A, TRAILER, B), { requireTrailer: true }],
    ["too many entries", "CPIO_LIMIT", join(A, B), { maxEntries: 1 }],
    ["too large a file", "CPIO_LIMIT", A, { maxFileSize: 4 }],
    ["too much data", "CPIO_LIMIT", join(A, B), { maxTotalSize: 5 }],
    ["an unknown mode", "CPIO_INVALID_INPUT", A, { mode: "lenient" as "strict" }],
    ["a limit that is no number", "CPIO_INVALID_INPUT", A, { maxEntries: Number.NaN }],
  ])("%s", async (_, code, bytes, options) => {
    expect(await codeOf(() => decodeCpio(bytes, options))).toBe(code);
    expect(await codeOf(() => unpackAll(chunksOf(bytes, 1), options))).toBe(code);
  });

  it("names the offset, and what stands there", async () => {
    const gzip = execFileSync("gzip", ["-n"], { input: A });
    const error = await errorOf(() => decodeCpio(join(A, TRAILER, ZEROS(12), gzip)));
    expect(error.message).toBe(
      `What follows at byte ${A.length + TRAILER.length + 12} is compressed by gzip, not a newc cpio archive`,
    );
    expect([error.offset, error.format]).toEqual([A.length + TRAILER.length + 12, "gzip"]);
    expect(error.hint).toMatch(/^Decompress/);
  });

  it("escapes what could disturb a terminal", async () => {
    const entry = rawEntry({ name: "\u001b[2J\n\u009b\0", mode: 0o644 });
    const { message } = await errorOf(() => decodeCpio(entry));
    expect(message).toContain('"\\u001b[2J\\n\\u009b"');
  });

  it("any archive that is cut, wherever it is cut", async () => {
    const archive = join(A, rawEntry({ name: "l\0", mode: 0o120777, data: "a" }), B, TRAILER);
    const starts = decodeCpio(archive).map(({ offset }) => offset);
    const ends = new Set([...starts, archive.length - TRAILER.length, archive.length]);
    for (let length = 1; length < archive.length; length++) {
      const cut = archive.subarray(0, length);
      if (ends.has(length)) expect(names(cut).length).toBeLessThanOrEqual(3);
      else expect(await codeOf(() => decodeCpio(cut)), `cut at ${length}`).toBe("CPIO_TRUNCATED");
    }
  });
});

describe("unpackCpio", () => {
  const archive = encodeCpio(
    ["one", "two", "three"].map((name) => ({ type: "file" as const, name, data: name.repeat(1000) })),
  );

  it("skips what is not read", async () => {
    const read: string[] = [];
    for await (const entry of unpackCpio(chunksOf(archive, 100))) {
      if (entry.name === "one") continue;
      if (entry.name === "two") {
        for await (const chunk of entry.data) {
          read.push(`first ${chunk.length} of two`);
          break;
        }
        continue;
      }
      read.push(`all ${(await dataOf(entry)).length} of three`);
    }
    expect(read[0]).toMatch(/^first \d+ of two$/);
    expect(read[1]).toBe("all 5000 of three");
  });

  it("gives the data once, and not after the next entry was asked for", async () => {
    const entries: CpioEntry[] = [];
    for await (const entry of unpackCpio([archive])) {
      entries.push(entry);
      if (entry.name === "two") {
        await dataOf(entry);
        expect(await codeOf(() => dataOf(entry))).toBe("CPIO_INVALID_INPUT");
      }
    }
    expect(await codeOf(() => dataOf(entries[0] as CpioEntry))).toBe("CPIO_INVALID_INPUT");
  });

  it("does not take a caught error for the end of the archive", async () => {
    const bytes = join(rawEntry({ magic: "070702", name: "a\0", data: "x" }), B, TRAILER);
    const entries = unpackCpio([bytes]);
    const first = await entries.next();
    expect(await codeOf(() => dataOf(first.value as never))).toBe("CPIO_CHECKSUM");
    expect(await codeOf(() => entries.next())).toBe("CPIO_CHECKSUM");
  });

  it("gives names that do not change with the chunk they came in", async () => {
    const chunk = Buffer.from(archive);
    const [entry] = decodeCpio(chunk);
    chunk.fill(1);
    expect(Buffer.from(entry?.nameBytes ?? []).toString()).toBe("one");
  });

  it("closes the source when its reader leaves early, and passes its errors", async () => {
    let closed = 0;
    async function* source(fail: boolean): AsyncGenerator<Uint8Array> {
      try {
        for (const chunk of chunksOf(archive, 64)) {
          await Promise.resolve();
          yield chunk;
          if (fail) throw new Error("disk on fire");
        }
      } finally {
        closed++;
      }
    }
    for await (const entry of unpackCpio(source(false))) if (entry.name === "two") break;
    expect(closed).toBe(1);
    await expect(unpackAll(source(true))).rejects.toThrow("disk on fire");
    expect(closed).toBe(2);
    const text = ["no bytes"] as unknown as Uint8Array[];
    expect(await codeOf(() => unpackAll(text))).toBe("CPIO_INVALID_INPUT");
    expect(await codeOf(() => decodeCpio("text" as unknown as Uint8Array))).toBe("CPIO_INVALID_INPUT");
  });
});
