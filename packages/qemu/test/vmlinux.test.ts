import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { zstdCompressSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { unpackVmlinux } from "../src/index.ts";
import { hasPvhEntry } from "../src/vmlinux.ts";
import { prepareGuest } from "./support/guest.ts";

let bzImage: Uint8Array;
let vmlinux: Uint8Array;

beforeAll(async () => {
  const guest = await prepareGuest();
  bzImage = readFileSync(guest.kernel);
  await guest.remove();
  vmlinux = (await unpackVmlinux(bzImage)) ?? new Uint8Array();
}, 180_000);

/** A bzImage with another payload, followed by its size where Kbuild adds that. */
function withPayload(payload: Uint8Array, size?: number): Buffer {
  const head = Buffer.from(bzImage.subarray(0, 0x4000));
  const start = ((head[0x1f1] ?? 0) + 1) * 512 + head.readUInt32LE(0x248);
  const tail = Buffer.alloc(size === undefined ? 0 : 4);
  if (size !== undefined) tail.writeUInt32LE(size);
  head.writeUInt32LE(payload.length + tail.length, 0x24c);
  return Buffer.concat([head, Buffer.alloc(Math.max(0, start - head.length)), payload, tail]);
}

test("the distribution's kernel, packed by lz4, has a PVH entry", () => {
  expect(vmlinux.length).toBeGreaterThan(40_000_000);
  expect(hasPvhEntry(vmlinux)).toBe(true);
  const payload = bzImage.subarray(
    ((bzImage[0x1f1] ?? 0) + 1) * 512 + Buffer.from(bzImage).readUInt32LE(0x248),
  );
  // lz4 itself stops at the size behind the last block, and has written all by then.
  const { stdout } = ((): { stdout: Buffer } => {
    try {
      return { stdout: execFileSync("lz4", ["-dc"], { input: payload, maxBuffer: 1 << 28, stdio: "pipe" }) };
    } catch (error) {
      return error as { stdout: Buffer };
    }
  })();
  expect(stdout.equals(vmlinux)).toBe(true);
});

// As cmd_gzip and the others of scripts/Makefile.lib.
describe("every way in which Kbuild packs", () => {
  const part = (): Uint8Array => vmlinux.subarray(0, 9_000_001);
  test.each([
    ["gzip", "gzip -n -f -9 -c", false],
    ["bzip2", "bzip2 -9 -c", true],
    ["lzma", "xz --format=lzma -1 -c", true],
    ["xz", "xz --check=crc32 --x86 --lzma2=dict=1MiB -c", true],
    ["lzo", "lzop -1 -c", true],
    ["lz4", "lz4 -l -9 -c", true],
  ])("%s", { timeout: 60_000 }, async (_, command, sized) => {
    const [program = "", ...args] = command.split(" ");
    const payload = execFileSync(program, args, { input: part(), maxBuffer: 1 << 28 });
    const image = withPayload(payload, sized ? part().length : undefined);
    expect(Buffer.from((await unpackVmlinux(image)) ?? []).equals(part())).toBe(true);
  });

  test("zstd, and not at all", async () => {
    for (const payload of [zstdCompressSync(part()), part()]) {
      const unpacked = (await unpackVmlinux(withPayload(payload, part().length))) ?? [];
      expect(Buffer.from(unpacked).subarray(0, part().length).equals(part())).toBe(true);
    }
  });
});

test(
  "what is no kernel, or a damaged one, is undefined or bytes, never an error",
  { timeout: 60_000 },
  async () => {
    expect(await unpackVmlinux(new Uint8Array(0))).toBeUndefined();
    expect(await unpackVmlinux(new Uint8Array(4096))).toBeUndefined();
    expect(await unpackVmlinux(withPayload(Buffer.from("nothing at all"), 9))).toBeUndefined();
    expect(hasPvhEntry(new Uint8Array(16))).toBe(false);
    // A note whose length wraps around.
    const looping = Buffer.from(vmlinux.subarray(0, 1024));
    looping.writeBigUInt64LE(64n, 0x20);
    looping.writeUInt16LE(1, 0x38);
    looping.writeUInt32LE(4, 64);
    looping.writeBigUInt64LE(512n, 64 + 8);
    looping.writeBigUInt64LE(400n, 64 + 32);
    looping.writeUInt32LE(0xffff_fff0, 516);
    expect(hasPvhEntry(looping)).toBe(false);
    const small = vmlinux.subarray(0, 200_000);
    const packed = execFileSync("lz4", ["-l", "-1", "-c"], { input: small, maxBuffer: 1 << 28 });
    let state = Number(process.env["FUZZ_SEED"] ?? 261_126);
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 500; round++) {
      const image = withPayload(packed, next(5) === 0 ? next(300_000) : small.length);
      for (let times = next(4); times >= 0; times--) image[next(image.length)] = next(256);
      await unpackVmlinux(image);
      const elf = Uint8Array.from(vmlinux.subarray(0, 4096));
      for (let times = 0; times < 4; times++) elf[next(elf.length)] = next(256);
      hasPvhEntry(elf);
    }
  },
);
