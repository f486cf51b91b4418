import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  CpioError,
  encodeCpio,
  findKernelFile,
  type KernelDecompress,
  type KernelInode,
  listKernelTree,
  readKernelFile,
  unpackAsKernel,
  type UnpackAsKernelOptions,
} from "../src/index.ts";
import { CRAFTED_CASES } from "./kernel-cases/cases.ts";
import { describeTree } from "./kernel-cases/describe-tree.ts";
import { cut, decompressKnown, member } from "./kernel-cases/members.ts";
import { place, predict, verdictOf, type Verdicts } from "./kernel-cases/predict.ts";
import { CHR, DIR, entry, FIFO, join, LNK, REG, SOCK, trailer, zeros } from "./kernel-cases/segment.ts";

const K = { kernel: "6.12" } as const;
const file = (name: string, data = "", more: object = {}): Uint8Array => entry({ name, data, ...more });
const directory = (name: string, more: object = {}): Uint8Array =>
  entry({ name, mode: DIR | 0o755, ...more });
const symlink = (name: string, target: string): Uint8Array =>
  entry({ name, mode: LNK | 0o777, data: target });

/** Paths besides those that are built into the kernel. */
function paths(image: Uint8Array, options: UnpackAsKernelOptions = K): string[] {
  const builtIn = new Set(["", "dev", "dev/console", "root"]);
  return [...listKernelTree(unpackAsKernel(image, options).tree)]
    .map(({ path }) => path)
    .filter((path) => !builtIn.has(path));
}
const codes = (image: Uint8Array, options: UnpackAsKernelOptions = K): string[] =>
  unpackAsKernel(image, options).diagnostics.map(({ code }) => code);

describe("verdicts of real kernels", () => {
  // Written by e2e/boots/cpio-kernel.test.ts from what guests reported.
  const recorded = JSON.parse(
    readFileSync(new URL("kernel-cases/verdicts.json", import.meta.url), "utf8"),
  ) as Verdicts;

  it("are there for each case", () => {
    expect(CRAFTED_CASES.length).toBeGreaterThan(250);
    expect(Object.keys(recorded.verdicts)).toEqual(CRAFTED_CASES.map(({ name }) => name));
  });

  it.each(CRAFTED_CASES.map((kernelCase, number) => ({ kernelCase, number })))(
    "$kernelCase.name",
    ({ kernelCase, number }) => {
      const { bytes, dir } = place(kernelCase, number);
      for (const kernel of recorded.releases) {
        const { lines, failure } = predict(bytes, { kernel });
        const wanted = recorded.changed[kernel]?.[kernelCase.name] ?? recorded.verdicts[kernelCase.name];
        expect(verdictOf(lines, dir, failure), kernel).toEqual(wanted);
      }
    },
  );
});

describe("unpackAsKernel", () => {
  it("starts with what is built in", () => {
    const { tree, failure, complete, diagnostics } = unpackAsKernel(new Uint8Array(0), K);
    const lines = [...listKernelTree(tree)].map(({ path, inode }) => `${inode.mode.toString(8)} /${path}`);
    expect(lines).toEqual(["41777 /", "40755 /dev", "20600 /dev/console", "40700 /root"]);
    expect([failure, complete, diagnostics]).toEqual([undefined, true, []]);
  });

  it("takes another built-in archive and another root file system", () => {
    const { tree } = unpackAsKernel(new Uint8Array(0), { ...K, base: file("x"), rootfs: "ramfs" });
    expect([...listKernelTree(tree)].map(({ path }) => path)).toEqual(["", "x"]);
    expect(tree.root.mode).toBe(0o040755);
  });

  it("knows what a ramfs makes of a target of 4096 bytes", () => {
    const image = symlink("l", "t".repeat(4096));
    const found = (kernel: string, rootfs: "tmpfs" | "ramfs"): KernelInode | undefined =>
      unpackAsKernel(image, { kernel, rootfs }).tree.root.entries?.get("l");
    expect(found("6.12", "ramfs")).toMatchObject({ size: 4096, target: "t".repeat(4095) });
    expect([found("7.0", "ramfs"), found("6.12", "tmpfs")]).toEqual([undefined, undefined]);
  });

  it("panics over a built-in archive that is damaged, and goes no further", () => {
    const result = unpackAsKernel(file("f"), { ...K, base: join(file("b"), "junk") });
    expect(result.failure).toMatchObject({ builtIn: true, message: /^invalid magic/ });
    expect(findKernelFile(result.tree, "f")).toBeUndefined();
    expect(result.diagnostics[0]?.message).toContain("panics");
  });

  it("remembers links of a built-in archive without a trailer, until 6.14", () => {
    const base = file("a", "x", { ino: 1, nlink: 2 });
    const image = file("b", "", { ino: 1, nlink: 2 });
    const links = (kernel: string): number | undefined =>
      findKernelFile(unpackAsKernel(image, { kernel, base }).tree, "a")?.nlink;
    expect(links("6.14.1")).toBe(2);
    expect(links("6.15")).toBe(1);
  });

  it("knows from which version on digits must be hexadecimal", () => {
    const image = file("f", "", { text: { uid: "0x00007B" } });
    for (const kernel of ["6.1", "6.12.117+deb12-cloud-amd64", "7.1"]) {
      const result = unpackAsKernel(image, { kernel });
      expect(findKernelFile(result.tree, "f")?.uid).toBe(0x7b);
      expect(result.diagnostics).toMatchObject([{ code: "KERNEL_LOOSE_HEADER", severity: "warning" }]);
    }
    for (const kernel of ["7.2", "7.2-rc1", "7.3.4", "10.0"]) {
      expect(unpackAsKernel(image, { kernel }).failure?.message).toBe("damaged header");
    }
  });

  it("says what is not configured in the words of the version", () => {
    const image = member("xz", file("f"));
    const message = (kernel: string): string | undefined =>
      unpackAsKernel(image, { kernel, configured: ["gzip"] }).failure?.message;
    expect(message("6.12")).toBe("compression method xz not configured");
    expect(message("6.15")).toBe("decompressor failed");
  });

  it("ends at a compressed member without a decompressor", () => {
    const result = unpackAsKernel(join(file("f"), trailer(), member("zstd", file("g"))), K);
    expect(result.complete).toBe(false);
    expect(result.failure).toBeUndefined();
    expect(result.diagnostics).toMatchObject([{ code: "KERNEL_NO_DECOMPRESSOR", location: { offset: 236 } }]);
    expect(findKernelFile(result.tree, "f")).toBeDefined();
  });

  it("takes the decompressor's message, after what it gave", () => {
    const decompress: KernelDecompress = (format, bytes) => {
      expect([format, bytes.length]).toEqual(["gzip", 6]);
      return { pieces: [file("f", "x")], consumed: 3, error: "uncompression error" };
    };
    const image = join(file("e"), Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0));
    const result = unpackAsKernel(image, { ...K, decompress });
    expect(result.failure?.message).toBe("uncompression error");
    expect(findKernelFile(result.tree, "f")?.size).toBe(1);
  });

  it("tells where inside a member something is", () => {
    const image = join(file("e"), member("gzip", join(file("a"), file("none/f"))));
    const { diagnostics } = unpackAsKernel(image, { ...K, decompress: decompressKnown });
    expect(diagnostics).toMatchObject([
      { location: { member: 112, offset: 112, segment: 0, name: "none/f" } },
    ]);
  });

  it("does not guess what comes behind an image that ends too early for its decompressor", () => {
    const decompress: KernelDecompress = (_, bytes) => ({ pieces: [file("f")], consumed: bytes.length + 8 });
    const result = unpackAsKernel(Uint8Array.of(0x1f, 0x8b), { ...K, decompress });
    expect([result.complete, result.failure, result.diagnostics[0]?.code]).toEqual([
      false,
      undefined,
      "KERNEL_UNCERTAIN",
    ]);
  });

  it("waits for ever at a fifo, and does not know devices", () => {
    const first = file("a", "x", { ino: 1, nlink: 2 });
    const second = file("b", "y", { ino: 1, nlink: 2 });
    const fifo = unpackAsKernel(join(first, entry({ name: "a", mode: FIFO | 0o600 }), second, file("c")), K);
    expect([fifo.complete, fifo.diagnostics.at(-1)?.code]).toEqual([false, "KERNEL_HANG"]);
    expect(findKernelFile(fifo.tree, "c")).toBeUndefined();
    expect(codes(join(first, entry({ name: "a", mode: CHR | 0o600 }), second))).toContain("KERNEL_UNCERTAIN");
    expect(codes(join(first, entry({ name: "a", mode: SOCK | 0o600 }), second))).toContain("KERNEL_DROPPED");
  });

  it("keeps times only if asked, those of directories to the end", () => {
    const image = join(
      directory("d", { mtime: 5 }),
      file("d/f", "x", { mtime: 6 }),
      directory("d", { mtime: 7 }),
    );
    const times = (keepTimes: boolean): unknown[] => {
      const { tree } = unpackAsKernel(image, { ...K, keepTimes });
      return [tree.root, findKernelFile(tree, "d"), findKernelFile(tree, "d/f")].map((inode) => inode?.mtime);
    };
    expect(times(false)).toEqual([undefined, undefined, undefined]);
    expect(times(true)).toEqual([undefined, 5, 6]);
  });

  it("names also what the kernel does not read", () => {
    const image = join(
      directory("d", { data: "x" }),
      entry({ name: "l", mode: LNK, data: "t".repeat(5000) }),
      file("n", "", { namesize: 0 }),
    );
    expect(
      unpackAsKernel(image, K)
        .diagnostics.slice(0, 3)
        .map(({ message }) => message),
    ).toEqual([
      '"d" is skipped: it is no regular file, but has 1 bytes of data',
      '"l" is skipped: its target takes 5000 bytes, at most 4095 are taken',
      "An entry is skipped: its name takes 0 bytes, wanted 1 to 4096",
    ]);
  });

  it("counts the trailers before a finding", () => {
    const image = join(file("none/a"), trailer(), file("none/b"), trailer());
    expect(unpackAsKernel(image, K).diagnostics.map(({ location }) => location)).toEqual(
      [
        { offset: 0, segment: 0, name: "none/a" },
        { offset: 120, segment: 1, name: "none/b" },
      ].map((location, index) => ({
        ...location,
        offset: index === 0 ? 0 : file("none/a").length + trailer().length,
      })),
    );
  });

  it("keeps as many diagnostics as wanted, and counts the rest", () => {
    const image = join(...Array.from({ length: 10 }, () => file("none/f")));
    const result = unpackAsKernel(image, { ...K, maxDiagnostics: 3 });
    expect([result.diagnostics.length, result.omittedDiagnostics]).toEqual([3, 7]);
  });

  it("takes no memory for what is only claimed", () => {
    const result = unpackAsKernel(file("f", "short", { filesize: 0xffff_ffff }), K);
    const inode = findKernelFile(result.tree, "f");
    expect([inode?.size, inode?.data.length]).toEqual([0xffff_ffff, 1]);
    expect(() => readKernelFile(result.tree, "f")).toThrow(expect.objectContaining({ code: "CPIO_LIMIT" }));
    expect(result.diagnostics).toMatchObject([{ code: "KERNEL_TRUNCATED" }]);
  });

  it("walks a tree of any depth", () => {
    // Each step goes through a symlink to what is deepest by now, so that no name is long.
    const parts = [directory("d"), symlink("l", "d")];
    for (let depth = 0; depth < 3000; depth++) parts.push(directory("l/d"), symlink("l", "l/d"));
    expect(paths(join(...parts)).length).toBeGreaterThan(2);
    let deep = "d";
    const all = [directory(deep)];
    while (deep.length < 4000) all.push(directory((deep += "/d")));
    expect(paths(join(...all)).at(-1)).toBe(deep);
  });

  it.each([
    ["kernel", { kernel: "six" }],
    ["kernel", { kernel: "5.10" }],
    ["kernel", { kernel: 6.1 }],
    ["rootfs", { ...K, rootfs: "ext4" }],
    ["decompress", { ...K, decompress: "gzip" }],
    ["configured", { ...K, configured: ["brotli"] }],
    ["maxDiagnostics", { ...K, maxDiagnostics: Number.NaN }],
    ["base", { ...K, base: "text" }],
  ])("refuses a wrong %s", (_, options) => {
    const run = (): unknown => unpackAsKernel(new Uint8Array(0), options as unknown as UnpackAsKernelOptions);
    expect(run).toThrow(CpioError);
    expect(run).toThrow(expect.objectContaining({ code: "CPIO_INVALID_INPUT" }));
  });

  it.each([
    [{ pieces: [], consumed: 0 }],
    [{ pieces: ["text"], consumed: 1 }],
    [{ pieces: undefined, consumed: 1 }],
    [{ pieces: [], consumed: 1.5 }],
    [undefined],
  ])("refuses a decompressor that gives %j", (given) => {
    const decompress = (() => given) as unknown as KernelDecompress;
    expect(() => unpackAsKernel(Uint8Array.of(0x1f, 0x8b), { ...K, decompress })).toThrow(CpioError);
  });

  it("gives the same tree for what was packed", () => {
    const image = encodeCpio([
      { type: "directory", name: "d" },
      { type: "file", name: "d/f", data: "Hello", mode: 0o4755, uid: 1, gid: 2 },
      { type: "link", name: "g", linkTo: "d/f" },
      { type: "character", name: "null", rdev: { major: 1, minor: 3 } },
    ]);
    const { tree, diagnostics } = unpackAsKernel(image, K);
    expect(diagnostics).toEqual([]);
    expect(findKernelFile(tree, "d/f")).toBe(findKernelFile(tree, "g"));
    expect(findKernelFile(tree, "g")).toMatchObject({
      mode: REG | 0o4755,
      uid: 1,
      gid: 2,
      nlink: 2,
      size: 5,
    });
    expect(findKernelFile(tree, "null")).toMatchObject({ rdev: { major: 1, minor: 3 } });
  });
});

describe("pieces of decompressed data", () => {
  const inPieces = (archive: Uint8Array, size: number) => {
    const decompress: KernelDecompress = () => ({ pieces: cut(archive, size), consumed: 2 });
    const result = unpackAsKernel(Uint8Array.of(0x1f, 0x8b), { ...K, decompress, keepTimes: true });
    return {
      lines: describeTree(result.tree),
      failure: result.failure?.message,
      codes: result.diagnostics.map(({ code }) => code),
    };
  };
  const SKIPPED = new Set<string>(["KERNEL_NAME_SIZE", "KERNEL_TARGET_SIZE", "KERNEL_UNEXPECTED_DATA"]);

  it("may be cut anywhere, as long as nothing is skipped", () => {
    const counts = { same: 0, lost: 0 };
    for (const [number, kernelCase] of CRAFTED_CASES.entries()) {
      const { bytes } = place(kernelCase, number);
      if (bytes.length > 20_000) continue;
      const whole = inPieces(bytes, bytes.length);
      for (const size of [1, 7, 109]) {
        const pieces = inPieces(bytes, size);
        if (whole.codes.some((code) => SKIPPED.has(code))) {
          counts.lost++;
          expect(pieces.codes, kernelCase.name).toContain("KERNEL_LOST");
        } else {
          counts.same++;
          expect(pieces, kernelCase.name).toEqual(whole);
        }
      }
    }
    expect(counts.same).toBeGreaterThan(400);
    expect(counts.lost).toBeGreaterThan(20);
  });
});

describe("the tree", () => {
  const image = join(
    directory("a"),
    file("a.b", "dot"),
    file("a/f", "Hello"),
    file("a-b"),
    entry({ name: Buffer.from([0xff, 0xfe]), data: "x" }),
    symlink("l", "/a"),
    symlink("loop", "loop"),
    symlink("up", "../../../a/f"),
    directory("z"),
    zeros(4),
  );
  const { tree } = unpackAsKernel(image, K);

  it("is listed with parents first and names by their bytes", () => {
    expect([...listKernelTree(tree)].map(({ path }) => path)).toEqual([
      "",
      "a",
      "a/f",
      "a-b",
      "a.b",
      "dev",
      "dev/console",
      "l",
      "loop",
      "root",
      "up",
      "z",
      "\u{fffd}\u{fffd}",
    ]);
  });

  it("is searched as a guest searches it", () => {
    const read = (path: string | Uint8Array): string | undefined => {
      const bytes = readKernelFile(tree, path);
      return bytes && Buffer.from(bytes).toString();
    };
    expect(["/a/f", "l/f", "l/../a/f", "up", "//a//./f"].map(read)).toEqual(Array(5).fill("Hello"));
    expect(read(Uint8Array.of(0xff, 0xfe))).toBe("x");
    expect(["loop", "none", "a", "a/f/", "a.b/f", "dev/console", "n".repeat(300)].map(read)).toEqual(
      Array(7).fill(undefined),
    );
    expect((findKernelFile(tree, "") as KernelInode).type).toBe("directory");
  });
});

describe("the README", () => {
  it("prints what it says", () => {
    const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const parts = text.split("```");
    const at = parts.findIndex((part) => part.startsWith("ts\n") && part.includes("unpackAsKernel"));
    const [code = "", output] = [parts[at]?.slice(3), parts[at + 2]?.slice(1)];
    // Inside the package, so that it imports itself by name.
    const path = fileURLToPath(new URL("readme-example.ts", import.meta.url));
    try {
      writeFileSync(path, code);
      expect(execFileSync(process.execPath, [path], { encoding: "utf8" })).toBe(output);
    } finally {
      rmSync(path);
    }
  });
});
