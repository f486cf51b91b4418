import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { type CpioInput, encodeCpio } from "@justenough/cpio";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import {
  addToImage,
  buildInitramfs,
  diffImages,
  explainPath,
  extractImage,
  readImage,
  readInitramfs,
  verifyImage,
} from "../src/index.ts";
import { boot } from "./support/boot.ts";
import { cloudKernel } from "./support/cloud-kernel.ts";

let directory: string;
let image: string;
let count = 0;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-image-"));
  image = join(directory, "image.zst");
  await buildInitramfs({
    programs: [{ source: "bash" }, { source: "ls" }, { source: "ldd" }],
    init: { kind: "generated", args: ["bash"] },
    compression: "zstd",
    output: image,
    arch: "x86_64",
  });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const file = (...parts: readonly Uint8Array[]): string => {
  const path = join(directory, `image-${++count}`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
};
const archive = (...entries: CpioInput[]): Uint8Array => encodeCpio(entries);
const text = (name: string, data = name): CpioInput => ({ type: "file", name, data });
const names = (path: string): string[] => [...readInitramfs(path)].map(({ name }) => name);

describe("readInitramfs", () => {
  const xz = (bytes: Uint8Array): Buffer => execFileSync("xz", ["--check=crc32", "-c"], { input: bytes });
  const lz4 = (bytes: Uint8Array): Buffer =>
    execFileSync("lz4", ["-l", "-c"], { input: bytes, stdio: "pipe" });
  const zeros = Buffer.alloc(512);

  test("reads plain and compressed archives that follow each other", () => {
    const plain = archive({ type: "directory", name: "a" }, text("a/b"));
    const path = file(
      plain,
      gzipSync(archive(text("c"))),
      zeros,
      xz(archive(text("d"))),
      zstdCompressSync(archive(text("e"))),
      lz4(archive(text("f"))),
      zeros,
    );
    expect(
      [...readInitramfs(path)].map(({ name, segment, member }) => [name, segment, member?.format]),
    ).toEqual([
      ["a", 0, undefined],
      ["a/b", 0, undefined],
      ["c", 1, "gzip"],
      ["d", 2, "xz"],
      ["e", 3, "zstd"],
      ["f", 4, "lz4"],
    ]);
    for (const { name, type, data } of readInitramfs(path)) {
      if (type === "file") expect(Buffer.concat([...data]).toString()).toBe(name);
    }
    expect(readImage(path).failure).toBeUndefined();
  });

  test("reads what the distribution's tools have written, as cpio lists it", () => {
    const list = execFileSync("sh", ["-c", "cd /usr/share/zoneinfo && find . -maxdepth 2 | LC_ALL=C sort"]);
    for (const command of ["cpio --quiet -o -H newc", "bsdcpio --quiet -o -H newc"]) {
      const bytes = execFileSync("sh", ["-c", `cd /usr/share/zoneinfo && ${command}`], {
        input: list,
        maxBuffer: 1 << 30,
        stdio: "pipe",
      });
      const theirs = execFileSync("cpio", ["-t", "--quiet"], { input: bytes, maxBuffer: 1 << 28 }).toString();
      expect(names(file(bytes))).toEqual(theirs.trimEnd().split("\n"));
      expect(names(file(gzipSync(bytes)))).toEqual(theirs.trimEnd().split("\n"));
    }
  });

  test.each(["zstd", "lz4", "gzip"])(
    "reads what mkinitramfs -c %s makes, as lsinitramfs lists it",
    { timeout: 60_000 },
    (compression) => {
      const work = mkdtempSync(join(directory, "mkinitramfs-"));
      // The tool itself, but for where it looks for the configuration of a kernel that is not installed.
      const script = readFileSync("/usr/sbin/mkinitramfs", "utf8").replaceAll(
        "/boot/config-",
        `${work}/config-`,
      );
      writeFileSync(join(work, "mkinitramfs"), script);
      const formats = ["ZSTD", "XZ", "LZ4", "GZIP"].map((name) => `CONFIG_RD_${name}=y\n`);
      writeFileSync(join(work, "config-6.0.0-none"), formats.join(""));
      execFileSync("cp", ["-r", "/etc/initramfs-tools", join(work, "conf")]);
      writeFileSync(join(work, "conf/conf.d/test"), "MODULES=list\n");
      const path = join(work, "initrd.img");
      const args = ["mkinitramfs", "-d", "conf", "-c", compression, "-o", path, "6.0.0-none"];
      execFileSync("sh", args, {
        cwd: work,
        stdio: "pipe",
        env: { ...process.env, PATH: `/usr/sbin:/sbin:${process.env["PATH"]}` },
      });
      const theirs = execFileSync("lsinitramfs", [path], { encoding: "utf8" });
      expect(names(path)).toEqual(theirs.trimEnd().split("\n"));
      expect(verifyImage(path).diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
    },
  );

  test("says what is wrong with what is no image", () => {
    const reading = (path: string) => () => names(path);
    expect(reading(file())).toThrow(/is empty/);
    expect(reading(join(directory, "gone"))).toThrow(/Cannot read the image .*gone": it does not exist/);
    expect(reading(directory)).toThrow(/it is a directory/);
    expect(reading(file(Buffer.from("hello")))).toThrow(/are no cpio header/);
    expect(reading(file(gzipSync(archive(text("a"))).subarray(0, 60)))).toThrow(
      /gzip member at byte 0 does not unpack/,
    );
    expect(reading(file(archive(text("a")), Buffer.from("junk")))).toThrow(/are no cpio header/);
  });
});

describe("verifyImage", () => {
  const findings = (path: string, options = {}): string[] =>
    verifyImage(path, options).diagnostics.map(({ severity, code }) => `${severity} ${code}`);
  const CONFIG =
    "# Linux/x86 6.12.1 Kernel Configuration\nCONFIG_X86_64=y\nCONFIG_BLK_DEV_INITRD=y\nCONFIG_RD_ZSTD=y\nCONFIG_BINFMT_ELF=y\nCONFIG_TMPFS=y\n";
  const bash = (): Uint8Array => readFileSync(image);

  test("finds nothing wrong with what was just packed", () => {
    expect(findings(image)).toEqual([]);
    expect(findings(image, { config: CONFIG, memory: 256 << 20 })).toEqual([]);
  });

  test.each<[string, () => Uint8Array[], string, RegExp]>([
    ["no /init", () => [archive(text("hello"))], "error init-missing", /no \/init/],
    [
      "an /init without x",
      () => [archive(text("init", "#!/bin/sh\n"))],
      "error init-not-executable",
      /not executable/,
    ],
    [
      "an interpreter that is missing",
      () => [archive({ ...text("init", "#!/bin/sh\n"), mode: 0o755 } as CpioInput)],
      "error unresolved-interpreter",
      /needs "\/bin\/sh"/,
    ],
    [
      "a directory that comes later",
      () => [bash(), zstdCompressSync(archive(text("x/y"), { type: "directory", name: "x" }))],
      "warning kernel-dropped",
      /"x\/y" is dropped/,
    ],
    [
      "a second archive out of step",
      () => [bash(), Buffer.alloc(4 - (bash().length % 4) + 1), archive(text("a"))],
      "error kernel-abort",
      /gives up: /,
    ],
    [
      "one archive in two members",
      () => {
        const whole = archive(text("a"), text("b", "b".repeat(5000)));
        return [zstdCompressSync(whole.subarray(0, 4000)), zstdCompressSync(whole.subarray(4000))];
      },
      "error kernel-abort",
      /junk at the end of compressed archive/,
    ],
    [
      "xz with CRC64",
      () => [execFileSync("xz", ["-c", "--check=crc64"], { input: archive(text("a")) })],
      "error kernel-abort",
      /gives up: /,
    ],
    [
      "a cut image",
      () => [archive(text("a", "a".repeat(5000))).subarray(0, 3000)],
      "warning kernel-truncated",
      /ends inside/,
    ],
    [
      "microcode too late",
      () => [
        bash(),
        zstdCompressSync(
          archive(
            { type: "directory", name: "kernel" },
            { type: "directory", name: "kernel/x86" },
            { type: "directory", name: "kernel/x86/microcode" },
            text("kernel/x86/microcode/GenuineIntel.bin"),
          ),
        ),
      ],
      "warning early-file-late",
      /does not find/,
    ],
  ])("finds %s", (_, parts, finding, message) => {
    const { diagnostics } = verifyImage(file(...parts()));
    const found = diagnostics.find(({ severity, code }) => `${severity} ${code}` === finding);
    expect(found?.message, JSON.stringify(diagnostics)).toMatch(message);
    expect(found?.hint).toBeTruthy();
  });

  test("microcode at the start is found", () => {
    const early = archive(
      { type: "directory", name: "kernel" },
      { type: "directory", name: "kernel/x86" },
      { type: "directory", name: "kernel/x86/microcode" },
      text("kernel/x86/microcode/GenuineIntel.bin"),
    );
    expect(findings(file(early, bash()))).toEqual([]);
  });

  test.each([
    ["RD_ZSTD", "CONFIG_RD_ZSTD", "error kernel-abort"],
    ["BLK_DEV_INITRD", "CONFIG_BLK_DEV_INITRD", "error kernel-option"],
    ["BINFMT_ELF", "CONFIG_BINFMT_ELF", "error kernel-option"],
  ])("a kernel without %s", (_, option, finding) => {
    const { diagnostics } = verifyImage(image, {
      config: CONFIG.replace(`${option}=y`, `# ${option} is not set`),
    });
    const found = diagnostics.find(({ severity, code }) => `${severity} ${code}` === finding);
    expect(found?.hint).toContain(`${option}=y`);
  });

  test("a script as /init, a kernel for another machine, a file that is no configuration", () => {
    const script = archive({ ...text("init", "#!/usr/bin/bash\n"), mode: 0o755 } as CpioInput);
    expect(
      findings(file(bash(), Buffer.alloc(8 - (bash().length % 4)), script), { config: CONFIG }),
    ).toContain("error kernel-option");
    expect(findings(image, { config: CONFIG.replace("X86_64", "ARM64") })).toContain(
      "error unresolved-architecture",
    );
    expect(() => verifyImage(image, { config: "hello" })).toThrow(/sets no option to y/);
  });

  test("a damaged image is never an exception", () => {
    const bytes = readFileSync(image);
    for (let round = 0; round < 40; round++) {
      const damaged = Buffer.from(bytes);
      for (let change = 0; change < 3; change++)
        damaged[(round * 7919 + change * 104_729) % damaged.length]! ^= 1 << change;
      verifyImage(file(round % 4 === 0 ? damaged.subarray(0, round * 20_000) : damaged));
    }
  });

  // The kernel's own verdict: what it drops is dropped without a word.
  test("tells how much memory a machine needs", { timeout: 120_000 }, async () => {
    const noise = Array.from({ length: 40 }, (_, index) =>
      text(`n${index}`, Buffer.alloc(1 << 20, index + 1).toString("latin1")),
    );
    // What to run is said at the start of the image, since what comes behind is what is lost.
    const base = join(directory, "base");
    await buildInitramfs({
      programs: [{ source: "bash" }, { source: "ls" }],
      init: { kind: "generated", args: ["bash", "-c", "ls -ln /n0 /n39"] },
      compression: "none",
      output: base,
      arch: "x86_64",
    });
    const path = file(readFileSync(base), archive(...noise));
    const { least, enough } = verifyImage(path).memory;
    const kernel = cloudKernel().image;
    /** Which of the first and the last file are there whole, as the guest says that has booted from it. */
    const inside = async (bytes: number): Promise<string[]> => {
      const memory = Math.floor(bytes / (1 << 20));
      const result = await boot({ kernel, image: path, job: {}, directory, memory });
      return result.console.match(/(?<= 1048576 .*)\/n\d+/g) ?? [];
    };
    expect(await inside(enough)).toEqual(["/n0", "/n39"]);
    expect(await inside(least * 0.85)).toEqual(["/n0"]);
  });
});

describe("extractImage", () => {
  test("writes what the guest would see", () => {
    const target = join(directory, "out");
    const { written, skipped } = extractImage(readImage(image).tree, target);
    expect(readFileSync(join(target, "usr/bin/bash")).equals(readFileSync("/usr/bin/bash"))).toBe(true);
    expect(statSync(join(target, "usr/bin/bash")).mode & 0o777).toBe(0o755);
    expect(readlinkSync(join(target, "bin"))).toBe("usr/bin");
    expect(skipped).toEqual(['"/dev/console"', '"/dev/null"']);
    expect(written).toBeGreaterThan(20);
  });

  test("keeps hard links, and takes setuid away", () => {
    const entries: CpioInput[] = [
      { type: "file", name: "a", data: "x", mode: 0o4755 },
      { type: "link", name: "b", linkTo: "a" },
      { type: "directory", name: "closed", mode: 0o555 },
      text("closed/in"),
    ];
    const target = join(directory, "links");
    extractImage(readImage(file(archive(...entries))).tree, target);
    expect(lstatSync(join(target, "a")).ino).toBe(lstatSync(join(target, "b")).ino);
    expect(lstatSync(join(target, "a")).mode & 0o7777).toBe(0o755);
    expect(lstatSync(join(target, "closed")).mode & 0o7777).toBe(0o555);
    expect(readFileSync(join(target, "closed/in"), "utf8")).toBe("closed/in");
  });

  test("nothing is written outside, whatever the names", () => {
    const outside = join(directory, "outside");
    mkdirSync(outside);
    const entries: CpioInput[] = [
      text("../../escaped"),
      text("/absolute"),
      { type: "symlink", name: "way", target: outside },
      text("way/through-link"),
      { type: "symlink", name: "up", target: "../../.." },
      text("up/climbed"),
      { type: "symlink", name: "file", target: join(outside, "target") },
      text("file"),
      text("a/../../b"),
    ];
    const target = join(directory, "hostile/deep/out");
    extractImage(readImage(file(archive(...entries))).tree, target);
    expect(readdirSync(outside)).toEqual([]);
    expect(readdirSync(join(directory, "hostile"))).toEqual(["deep"]);
    expect(readdirSync(join(directory, "hostile/deep"))).toEqual(["out"]);
    expect(readdirSync(target)).toEqual(expect.arrayContaining(["absolute", "climbed", "escaped", "file"]));
    expect(lstatSync(join(target, "file")).isFile()).toBe(true);
  });

  test("refuses a directory that has something in it, and leaves nothing half done", () => {
    const target = join(directory, "filled");
    mkdirSync(target);
    writeFileSync(join(target, "mine"), "");
    expect(() => extractImage(readImage(image).tree, target)).toThrow(/is not empty/);
    expect(() => extractImage(readImage(image).tree, join(target, "mine/x"))).toThrow(/Cannot/);
    expect(readdirSync(target)).toEqual(["mine"]);
  });
});

describe("addToImage", () => {
  test("adds what is not there yet, for the kernel and for everybody", { timeout: 60_000 }, async () => {
    const path = join(directory, "added.zst");
    copyFileSync(image, path);
    const { added } = await addToImage({
      image: path,
      programs: [{ source: "ls" }, { source: "sha256sum" }],
      files: [{ target: "/etc/motd", content: "hi\n" }],
      arch: "x86_64",
    });
    expect(added).toEqual(expect.arrayContaining(["/etc/motd", "/usr/bin/sha256sum"]));
    expect(added).not.toContain("/usr/bin/ls");
    expect(added.some((name) => name.includes("libc.so"))).toBe(false);
    expect(readFileSync(path).subarray(0, statSync(image).size).equals(readFileSync(image))).toBe(true);
    expect(verifyImage(path).diagnostics).toEqual([]);
    const differences = diffImages(readImage(image).tree, readImage(path).tree);
    expect(differences.map(({ kind, path: at }) => `${kind} ${at}`)).toEqual(
      added.map((at) => `added ${at}`),
    );
    const { program } = await boot({
      kernel: cloudKernel().image,
      image: path,
      job: { args: ["sha256sum", "/etc/motd"] },
      directory,
    });
    expect(program.toString()).toMatch(/^[0-9a-f]{64} {2}\/etc\/motd/);
  });

  test("keeps modes and links of what is there, behind lz4 and trailing zeros too", async () => {
    const packed = execFileSync("lz4", ["-l", "-c"], {
      input: archive(
        { type: "directory", name: "tmp", mode: 0o1777 },
        { type: "directory", name: "usr" },
        { type: "directory", name: "usr/lib" },
        { type: "symlink", name: "lib", target: "usr/lib" },
      ),
      stdio: "pipe",
    });
    const path = file(packed);
    await addToImage({
      image: path,
      programs: [],
      files: [
        { target: "/tmp/x", content: "x" },
        { target: "/lib/y", content: "y" },
      ],
      arch: "x86_64",
    });
    const { tree, failure } = readImage(path);
    expect(failure).toBeUndefined();
    expect((tree.root.entries?.get("tmp")?.mode ?? 0) & 0o7777).toBe(0o1777);
    expect(tree.root.entries?.get("lib")?.type).toBe("symlink");
    expect(tree.root.entries?.get("usr")?.entries?.get("lib")?.entries?.has("y")).toBe(true);
  });

  test("refuses damaged images and nothing to add, and changes nothing then", async () => {
    const path = file(archive(text("a")), Buffer.from("junk"));
    const before = readFileSync(path);
    const options = { image: path, programs: [], arch: "x86_64" } as const;
    await expect(addToImage({ ...options, files: [{ target: "/x", content: "" }] })).rejects.toMatchObject({
      code: "INITRAMFS_LAYER",
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    await expect(addToImage({ ...options, image })).rejects.toThrow(/nothing to add/);
    expect(readdirSync(directory).filter((name) => name.includes(".tmp"))).toEqual([]);
  });
});

describe("explainPath", () => {
  test("follows who needs a file up to what nobody asks for", () => {
    const { tree } = readImage(image);
    const steps = explainPath(tree, "/usr/lib/x86_64-linux-gnu/libc.so.6") ?? [];
    expect(steps[0]).toMatchObject({ why: "/lib/x86_64-linux-gnu/libc.so.6 leads to it" });
    expect(steps.at(-2)).toMatchObject({ path: "/bin/bash", why: "interpreter of /usr/bin/ldd" });
    expect(steps.at(-1)).toMatchObject({ path: "/usr/bin/ldd", why: "nothing in the image asks for it" });
    expect(explainPath(tree, "/init")).toEqual([{ path: "/init", why: "the kernel starts it" }]);
    expect(explainPath(tree, "/nowhere")).toBeUndefined();
  });
});
