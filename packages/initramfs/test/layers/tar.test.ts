import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { pack } from "tar-stream";
import { describe, expect, test } from "vitest";

import { bytesOf, lines, read, save, scratch } from "../support/layers.ts";
import { makeTar } from "../support/make-tar.ts";

const directory = scratch();
const tar = (bytes: Uint8Array) => read([{ kind: "tar", source: save(directory, bytes) }]);

const long = `${"d".repeat(120)}/${"e".repeat(120)}/${"f".repeat(99)}`;

/** A directory with everything that a tar can hold. */
function sample(): string {
  const root = join(directory, "sample");
  mkdirSync(join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "bin/tool"), "tool", { mode: 0o755 });
  chmodSync(join(root, "bin/tool"), 0o4755);
  linkSync(join(root, "bin/tool"), join(root, "bin/tool2"));
  symlinkSync("tool", join(root, "bin/alias"));
  symlinkSync(`/${"x".repeat(150)}`, join(root, "far"));
  writeFileSync(join(root, "grüße"), "ü");
  writeFileSync(Buffer.from(`${root}/bytes\xff`, "latin1"), "latin1");
  execFileSync("mkfifo", ["-m", "640", join(root, "pipe")]);
  execFileSync("find", [root, "-exec", "touch", "-h", "-d", "@1000000000", "{}", "+"]);
  return root;
}

describe("archives of GNU tar", () => {
  const root = sample();
  const make = (...args: string[]): Buffer =>
    execFileSync("tar", ["-C", root, "--sort=name", "--owner=7", "--group=8", ...args, "-cf", "-", "."]);
  const short = [
    "/bin directory 755 7:8",
    "/bin/alias -> tool 7:8",
    '/bin/tool file 4755 7:8 #1 "tool"',
    '/bin/tool2 file 4755 7:8 #1 "tool"',
    '/bytes\udcff file 644 7:8 "latin1"',
    '/grüße file 644 7:8 "ü"',
    "/pipe fifo 640 7:8",
  ];
  const withFar = [...short.slice(0, 5), `/far -> /${"x".repeat(150)} 7:8`, ...short.slice(5)];

  test.each(["v7", "ustar"])("%s", async (format) => {
    expect(
      lines(
        await tar(
          make(`--format=${format}`, "--exclude=./far", ...(format === "v7" ? ["--exclude=./pipe"] : [])),
        ),
      ),
    ).toEqual(format === "v7" ? short.filter((line) => !line.includes("fifo")) : short);
  });
  test.each(["oldgnu", "gnu", "posix"])("%s", async (format) => {
    expect(lines(await tar(make(`--format=${format}`)))).toEqual(withFar);
  });

  test.each(["ustar", "gnu", "posix"])("long names in %s", async (format) => {
    const deep = join(directory, `deep-${format}`);
    mkdirSync(join(deep, long, ".."), { recursive: true });
    const name = format === "ustar" ? long.slice(122) : long;
    mkdirSync(join(deep, name, ".."), { recursive: true });
    writeFileSync(join(deep, name), "deep");
    const bytes = execFileSync("tar", ["-C", deep, `--format=${format}`, "-cf", "-", name]);
    expect(lines(await tar(bytes)).at(-1)).toBe(`/${name} file 644 "deep"`);
  });

  test("times only when they are asked for", async () => {
    const source = save(directory, make("--format=posix"));
    const time = (stack: Awaited<ReturnType<typeof read>>) =>
      stack.nodes.find(([path]) => path === "/bin/tool")?.[1].mtime;
    expect(time(await read([{ kind: "tar", source }]))).toBeUndefined();
    expect(time(await read([{ kind: "tar", source }], { keepLayerTimes: true }))).toBe(1_000_000_000);
  });

  test("sparse files are refused", async () => {
    const holes = join(directory, "holes");
    execFileSync("truncate", ["-s", "1M", holes]);
    for (const format of ["gnu", "posix"]) {
      const bytes = execFileSync("tar", ["-C", directory, "-S", `--format=${format}`, "-cf", "-", "holes"]);
      await expect(tar(bytes)).rejects.toThrow(/"holes" is stored as a sparse file, which is not read; make/);
    }
  });
});

describe("compression", () => {
  const plain = makeTar([
    { name: "a", data: "1" },
    { name: "b", data: "22" },
  ]);
  const half = plain.length / 2;
  const filter = (program: string): Buffer => execFileSync(program, ["-c"], { input: plain });
  test.each<[string, () => Buffer]>([
    ["gzip", () => gzipSync(plain)],
    [
      "gzip in two members",
      () => Buffer.concat([gzipSync(plain.subarray(0, half)), gzipSync(plain.subarray(half))]),
    ],
    ["zstd", () => zstdCompressSync(plain)],
    [
      "zstd in frames, with skippable ones",
      () =>
        Buffer.concat([
          Buffer.from("5d2a4d1800000000", "hex"),
          zstdCompressSync(plain.subarray(0, half)),
          Buffer.from("502a4d1803000000aabbcc", "hex"),
          zstdCompressSync(plain.subarray(half)),
        ]),
    ],
    ["zstd of the tool", () => filter("zstd")],
    ["xz", () => filter("xz")],
    ["bzip2", () => filter("bzip2")],
  ])("%s", async (_name, bytes) => {
    expect(lines(await tar(bytes()))).toEqual(['/a file 644 "1"', '/b file 644 "22"']);
  });

  test("a damaged or cut stream is an error", async () => {
    for (const bytes of [gzipSync(plain), zstdCompressSync(plain), filter("xz"), filter("bzip2")]) {
      await expect(tar(bytes.subarray(0, -6))).rejects.toMatchObject({ code: "INITRAMFS_LAYER" });
    }
  });
});

test("reads what tar-stream writes", async () => {
  const out = pack();
  const name = `${"n".repeat(200)}/ö`;
  out.entry({ name: "d/", type: "directory", mode: 0o700 });
  out.entry({ name, mode: 0o600, uid: 3000, gid: 4 }, "text");
  out.entry({ name: "hard", type: "link", linkname: name });
  out.entry({ name: "null", type: "character-device", devmajor: 1, devminor: 3, mode: 0o666 });
  out.finalize();
  expect(lines(await tar(await buffer(out)))).toEqual([
    "/d directory 700",
    '/hard file 600 3000:4 #1 "text"',
    `/${"n".repeat(200)} directory 755`,
    `/${name} file 600 3000:4 #1 "text"`,
    "/null character 666 1:3",
  ]);
});

test("extended headers: global ones hold, later ones win, an empty value takes back", async () => {
  const bytes = makeTar([
    { name: "g", type: "g", pax: { uid: "5", gid: "6" } },
    { name: "a", data: "1" },
    { name: "b", data: "22", pax: { uid: "9", path: "ä/b", size: "2" }, size: 0 },
    { name: "c", pax: { gid: "" } },
    { name: "l", type: "2", pax: { linkpath: "way/over/there" } },
  ]);
  expect(lines(await tar(bytes))).toEqual([
    '/a file 644 5:6 "1"',
    '/c file 644 5:0 ""',
    "/l -> way/over/there 5:6",
    "/ä directory 755",
    '/ä/b file 644 9:6 "22"',
  ]);
});

test("numbers in base 256, a star prefix, blanks before digits", async () => {
  const base256 = Buffer.from("80000000002dc6c0", "hex");
  const bytes = makeTar([
    { name: "a", patch: [108, base256] },
    { name: "b", prefix: "p", patch: [508, Buffer.from("tar\0")] },
    { name: "c", patch: [108, Buffer.from("     12 ")] },
  ]);
  expect(lines(await tar(bytes))).toEqual([
    '/a file 644 3000000:0 ""',
    '/c file 644 10:0 ""',
    "/p directory 755",
    '/p/b file 644 ""',
  ]);
});

test("a plain archive stays on the disk: files are ranges of it", async () => {
  const path = save(
    directory,
    makeTar([
      { name: "a", data: "1" },
      { name: "b", data: "22" },
    ]),
  );
  const { nodes } = await read([{ kind: "tar", source: path }]);
  const contents = nodes.map(([, node]) => (node.kind === "file" ? node.content : undefined));
  expect(contents).toEqual([
    { kind: "host", path, offset: 512, size: 1 },
    { kind: "host", path, offset: 1536, size: 2 },
  ]);
  expect(contents.map((content) => content && bytesOf(content).toString())).toEqual(["1", "22"]);
});

test("later entries replace earlier ones, directories keep what they hold", async () => {
  const bytes = makeTar([
    { name: "a", data: "old" },
    { name: "d/x", data: "x" },
    { name: "e/y", data: "y" },
    { name: "a", data: "new" },
    { name: "d/", type: "5", mode: 0o711 },
    { name: "e", data: "file" },
  ]);
  expect(lines(await tar(bytes))).toEqual([
    '/a file 644 "new"',
    "/d directory 711",
    '/d/x file 644 "x"',
    '/e file 644 "file"',
  ]);
});

test("Debian's own packages and GNU tar agree", async () => {
  // A big archive of real files, with names and modes from elsewhere.
  const bytes = execFileSync("tar", ["-C", "/usr/share", "--sort=name", "-cf", "-", "terminfo", "perl5"], {
    maxBuffer: 1 << 28,
  });
  const { nodes } = await tar(bytes);
  const listed = execFileSync("tar", ["-tf", "-"], { input: bytes, encoding: "utf8", maxBuffer: 1 << 26 });
  const names = listed
    .trimEnd()
    .split("\n")
    .map((name) => `/${name.replace(/\/$/, "")}`);
  expect(nodes.map(([path]) => path)).toEqual(
    names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  );
  for (const [path, node] of nodes) {
    if (node.kind === "file")
      expect(bytesOf(node.content).equals(readFileSync(`/usr/share${path}`)), path).toBe(true);
  }
});
