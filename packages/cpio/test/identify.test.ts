import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeCpio, identifyFormat, type KnownFormat, unpackCpio } from "../src/index.ts";
import { errorOf, unpackAll } from "./collect.ts";

const TEXT = Buffer.from("Some text to be packed.\n".repeat(50));
const run = (command: string, ...args: string[]): Buffer =>
  execFileSync(command, args, { input: TEXT, stdio: ["pipe", "pipe", "ignore"] });
const cpio = (format: string): Buffer =>
  execFileSync("cpio", ["--quiet", "-o", "-H", format], { input: "passwd\n", cwd: "/etc" });

function at(offset: number, text: string): Buffer {
  const bytes = Buffer.alloc(1024, 1);
  bytes.write(text, offset, "latin1");
  return bytes;
}

const SAMPLES: [KnownFormat, () => Buffer][] = [
  ["gzip", () => run("gzip")],
  ["xz", () => run("xz", "--check=crc32")],
  ["lzma", () => run("xz", "--format=lzma")],
  ["zstd", () => run("zstd")],
  ["bzip2", () => run("bzip2")],
  ["tar", () => execFileSync("tar", ["-c", "-C", "/etc", "passwd"])],
  ["odc", () => cpio("odc")],
  ["binary", () => cpio("bin")],
  ["elf", () => readFileSync("/bin/true")],
  // Tools for these are not everywhere; the numbers are from the kernel's decompressors and boot protocols.
  ["lz4", () => Buffer.from("02214c180000", "hex")],
  ["lz4-frame", () => Buffer.from("04224d186440", "hex")],
  ["lzo", () => Buffer.from("894c5a4f000d0a1a0a", "hex")],
  ["bzimage", () => at(0x202, "HdrS")],
  ["arm64-image", () => at(56, "ARM\u0064")],
  ["pe", () => at(0, "MZ")],
  ["squashfs", () => at(0, "hsqs")],
  ["zip", () => Buffer.from("504b030414000000", "hex")],
  ["ar", () => Buffer.from("!<arch>\ndebian-binary")],
  ["rpm", () => Buffer.from("edabeedb03000000", "hex")],
];

describe("identifyFormat", () => {
  it.each(SAMPLES)("%s is named in the error, whatever the chunks", async (format, sample) => {
    const bytes = sample();
    expect(identifyFormat(bytes)).toBe(format);
    const error = await errorOf(() => decodeCpio(bytes));
    expect([error.code, error.format, error.offset]).toEqual(["CPIO_FOREIGN", format, 0]);
    expect(error.message).toMatch(/^The input is .*, not a newc cpio archive$/);
    expect(error.hint).not.toBe("");
    const bytewise = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect((await errorOf(() => unpackAll(bytewise))).message).toBe(error.message);
  });

  it("names both formats of this package, and nothing else", () => {
    expect(identifyFormat(cpio("newc"))).toBe("newc");
    expect(identifyFormat(cpio("crc"))).toBe("crc");
    expect(identifyFormat(TEXT)).toBeUndefined();
    expect(identifyFormat(new Uint8Array(0))).toBeUndefined();
  });

  it("reads no more of a foreign file than it needs", async () => {
    let given = 0;
    function* endless(): Generator<Uint8Array> {
      for (;;) {
        given += 64;
        yield new Uint8Array(64).fill(1);
      }
    }
    const error = await errorOf(async () => {
      for await (const entry of unpackCpio(endless())) expect(entry).toBeUndefined();
    });
    expect(error.code).toBe("CPIO_FOREIGN");
    expect(error.message).toContain("01 01 01 01 01 01");
    expect(given).toBeLessThan(1024);
  });
});
