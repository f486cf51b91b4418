/**
 * What `readImage` of @justenough/initramfs makes of compressed members, against kernels: which they take and refuse,
 * with which words, where they go on, and what is there after a failure. Members that leave the unpacker alive share
 * an image; those that end it take a boot each, on one of the kernels, or on all with CPIO_CASES=all.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { readImage } from "@justenough/initramfs";
import { afterAll, expect, test } from "vitest";
import { comparable, describeTree } from "../../packages/cpio/test/kernel-cases/describe-tree.ts";
import { DIR, entry, join, padded, trailer, zeros } from "../../packages/cpio/test/kernel-cases/segment.ts";
import { askKernel, compileReporter, distroKernel } from "../lib/cpio-kernel/ask-kernel.ts";

const isWhole = process.env["CPIO_CASES"] === "all";
const PACKAGES = ["linux-image-cloud-amd64", "linux-image-6.12-cloud-amd64"] as const;
const REPORTER = entry({ name: "init", mode: 0o100755, data: compileReporter() });
const directory = mkdtempSync(joinPath(tmpdir(), "initramfs-members-"));
afterAll(() => rmSync(directory, { recursive: true }));

/** Some that compresses well, and some that does not; more than a piece of any decompressor but lz4's and lzma's. */
const TEXT = Buffer.from("all work and no play makes jack a dull boy ".repeat(4000));
let state = 1;
const NOISE = Buffer.from(
  Uint8Array.from(
    { length: 300_000 },
    () => (state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0) >>> 24,
  ),
);

/** An archive with files of its own. */
const archive = (name: string): Uint8Array =>
  join(
    entry({ name, mode: DIR | 0o755, nlink: 2 }),
    entry({ name: `${name}/text`, data: TEXT }),
    entry({ name: `${name}/noise`, data: NOISE }),
    entry({ name: `${name}/empty` }),
    trailer(),
  );
const run = (input: Uint8Array, ...[program, ...args]: readonly string[]): Uint8Array =>
  execFileSync(program as string, args, { input, maxBuffer: 1 << 28, stdio: ["pipe", "pipe", "ignore"] });
const xz = (input: Uint8Array, ...args: readonly string[]): Uint8Array => run(input, "xz", "-c", ...args);
const lz4 = (input: Uint8Array): Uint8Array => run(input, "lz4", "-l", "-c");

/** A gzip header with more in it than the kernel looks at. */
function gzipWith(flag: number, extra: Uint8Array, input: Uint8Array): Uint8Array {
  const member = gzipSync(input);
  member[3] = flag;
  return join(member.subarray(0, 10), extra, member.subarray(10));
}

function damaged(member: Uint8Array, fromEnd: number): Uint8Array {
  const bytes = Buffer.from(member);
  bytes[bytes.length - fromEnd] = (bytes[bytes.length - fromEnd] as number) ^ 0x55;
  return bytes;
}

type Cases = Readonly<Record<string, (archive: Uint8Array) => Uint8Array>>;

/** Each is followed by zeros up to a multiple of 4, at least four, and by the next one. */
const TAKEN: Cases = {
  "gzip -1": (data) => gzipSync(data, { level: 1 }),
  "gzip -9": (data) => gzipSync(data, { level: 9 }),
  "gzip with a name": (data) => gzipWith(8, Buffer.from("name\0"), data),
  "gzip with a wrong checksum": (data) => damaged(gzipSync(data), 6),
  "xz --check=crc32": (data) => xz(data, "--check=crc32"),
  "xz --check=none": (data) => xz(data, "--check=none"),
  "xz of blocks": (data) => xz(data, "--check=crc32", "--block-size=100000"),
  "xz with the filter of x86": (data) => xz(data, "--check=crc32", "--x86", "--lzma2"),
  "xz with a dictionary of 64 MiB": (data) => xz(data, "--check=crc32", "--lzma2=dict=64MiB"),
  lzma: (data) => xz(data, "--format=lzma"),
  bzip2: (data) => run(data, "bzip2", "-c"),
  lzop: (data) => run(data, "lzop", "-c"),
  "lz4 -l": lz4,
  "zstd -1": (data) => zstdCompressSync(data),
  "zstd with a checksum": (data) => run(data, "zstd", "-c", "--check"),
  "zstd --long=27": (data) => run(data, "zstd", "-c", "--long=27"),
};

/** Each ends the unpacking, or leaves something out; those below are for CPIO_CASES=all. */
const REFUSED: Cases = {
  "gzip with an extra field": (data) => gzipWith(4, Buffer.from("\u0004\0abcd"), data),
  "gzip, one archive in two members": (data) =>
    join(gzipSync(data.subarray(0, 200_000)), gzipSync(data.subarray(200_000))),
  "gzip, cut": (data) => gzipSync(data).subarray(0, 200_000),
  "xz with CRC64": (data) => xz(data),
  "xz with the filter of ARM": (data) => xz(data, "--check=crc32", "--arm", "--lzma2"),
  "bzip2, damaged": (data) => damaged(run(data, "bzip2", "-c"), 150_000),
  "an lz4 frame": (data) => run(data, "lz4", "-c"),
  "lz4 with an archive right behind": (data) => join(padded(lz4(data)), archive("behind")),
  "zstd with a window of 256 MiB": (data) => run(data, "zstd", "-c", "--long=28"),
  "zstd, one archive in two frames": (data) =>
    join(zstdCompressSync(data.subarray(0, 200_000)), zstdCompressSync(data.subarray(200_000))),
  "zstd behind a skippable frame": (data) =>
    join(Buffer.from("502a4d180400000000000000", "hex"), zstdCompressSync(data)),
  "an archive out of step": (data) =>
    join(gzipSync(data), zeros(5 - (gzipSync(data).length % 4)), archive("late")),
};
const MORE_REFUSED: Cases = {
  "gzip with a comment": (data) => gzipWith(16, Buffer.from("comment\0"), data),
  "gzip, damaged": (data) => damaged(gzipSync(data), 150_000),
  "xz with SHA-256": (data) => xz(data, "--check=sha256"),
  "xz, damaged": (data) => damaged(xz(data, "--check=crc32"), 150_000),
  "lzma, cut": (data) => xz(data, "--format=lzma").subarray(0, 200_000),
  "lzop, damaged": (data) => damaged(run(data, "lzop", "-c"), 200_000),
  "lz4, damaged": (data) => damaged(lz4(data), 310_000),
  "zstd, cut": (data) => zstdCompressSync(data).subarray(0, 200_000),
};

/** A window of 256 MiB is refused for what it is only after the memory for it was had, which a small machine has not. */
const OUT_OF_MEMORY = "Out of memory while allocating ZSTD_DStream";

async function compare(
  kernel: ReturnType<typeof distroKernel>,
  image: Uint8Array,
  what: string,
): Promise<number> {
  const path = joinPath(directory, "image");
  writeFileSync(path, image);
  const { tree, failure } = readImage(path, { kernel: kernel.release });
  const seen = await askKernel(kernel, image);
  expect(seen.silence, what).toBeUndefined();
  const wanted = describeTree(tree);
  const untimed = new Set<string>();
  expect(comparable(seen.lines, untimed), what).toEqual(comparable(wanted, untimed));
  if (seen.failure !== OUT_OF_MEMORY) expect(seen.failure, what).toBe(failure?.message);
  else expect(what).toContain("256 MiB");
  return wanted.length;
}

test.each(PACKAGES)("%s takes what it is said to take, and goes on behind it", async (name) => {
  const kernel = distroKernel(name);
  const parts = Object.values(TAKEN).map((make, index) => {
    const member = make(archive(`m${index}`));
    return join(member, zeros(8 - (member.length % 4)), archive(`p${index}`));
  });
  const count = await compare(kernel, join(REPORTER, ...parts), "all");
  expect(count).toBeGreaterThan(8 * parts.length);
});

const CHOSEN = isWhole ? { ...REFUSED, ...MORE_REFUSED } : REFUSED;

test.each(Object.entries(CHOSEN).map(([name, make], index) => ({ name, make, index })))(
  "a kernel refuses $name as it is said to",
  async ({ name, make, index }) => {
    for (const own of isWhole ? PACKAGES : [PACKAGES[index % PACKAGES.length] ?? PACKAGES[0]]) {
      const member = make(archive("own"));
      const image = join(
        REPORTER,
        archive("before"),
        member,
        zeros(8 - (member.length % 4)),
        archive("after"),
      );
      await compare(distroKernel(own), image, `${name} on ${own}`);
    }
  },
);
