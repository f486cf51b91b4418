import { execFile } from "node:child_process";
import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import { sha256File } from "../src/internal/download.ts";
import { unpackDebianSource } from "../src/internal/unpack.ts";
import { startMirror } from "./support/mirror.ts";
import { digestOf, names, scratchDirectory, smallTree } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
let scratch: string;
let tree: string;
let cacheDir: string;

beforeAll(async () => {
  scratch = await scratchDirectory();
  cacheDir = join(scratch, "cache");
  tree = await smallTree(join(scratch, "linux-6.12"));
}, 60_000);

const fetchTarball = async (path: string): Promise<string> =>
  fetchSource(await resolveSource({ kind: "tarball", path }, { cacheDir }), { cacheDir });

test.each([
  ["xz", "-J", "with its directory"],
  ["gz", "-z", "with its directory"],
  ["zst", "--zstd", "at the top"],
  ["bz2", "-j", "at the top"],
  ["plain", "--no-auto-compress", "with its directory"],
  ["plain", "--no-auto-compress", "at the top"],
])("%s (%s) with the tree %s gives the tree, whatever the name says", async (format, option, layout) => {
  const path = join(scratch, `${format}-${layout.replaceAll(" ", "-")}.blob`);
  const what = layout === "at the top" ? ["-C", tree, "."] : ["-C", scratch, "linux-6.12"];
  await execFileAsync("tar", ["-c", option, "-f", path, ...what]);
  const unpacked = await fetchTarball(path);
  expect(await digestOf(unpacked)).toBe(await digestOf(tree));
  await rm(unpacked, { recursive: true });
});

test("what lies beside the tree's directory is left out, and two trees are one too many", async () => {
  const both = join(scratch, "both");
  await mkdir(join(both, "debian"), { recursive: true });
  await writeFile(join(both, "README"), "read me\n");
  await execFileAsync("cp", ["-a", tree, both]);
  const path = join(scratch, "beside.tar");
  await execFileAsync("tar", ["-cf", path, "-C", both, "."]);
  expect(await digestOf(await fetchTarball(path))).toBe(await digestOf(tree));
  await execFileAsync("cp", ["-a", tree, join(both, "linux-6.13")]);
  const two = join(scratch, "two.tar");
  await execFileAsync("tar", ["-cf", two, "-C", both, "."]);
  await expect(fetchTarball(two)).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: `"${two}" holds no kernel source tree`,
  });
});

test("a damaged one says how to look at it and leaves nothing", async () => {
  const whole = join(scratch, "whole.tar.gz");
  await execFileAsync("tar", ["-czf", whole, "-C", scratch, "linux-6.12"]);
  const bytes = await readFile(whole);
  const cut = join(scratch, "cut.tar.gz");
  await writeFile(cut, bytes.subarray(0, bytes.length - 1000));
  await expect(fetchTarball(cut)).rejects.toMatchObject({
    code: "KERNEL_TOOL_FAILED",
    hint: `The tarball is damaged, cut short or none. See for yourself: tar -tf ${cut} >/dev/null`,
  });
  expect((await names(join(cacheDir, "kernel/sources"))).filter((name) => name.includes("cut"))).toEqual([]);
});

test("a linux-source package in Ubuntu's layout is unpacked too", async () => {
  const root = join(scratch, "package");
  const name = "linux-source-6.8.0";
  await mkdir(join(root, "usr/src", name), { recursive: true });
  await mkdir(join(root, "DEBIAN"));
  await writeFile(
    join(root, "DEBIAN/control"),
    `Package: ${name}\nVersion: 6.8.0-1\nArchitecture: all\nMaintainer: S <s@example.org>\nDescription: x\n`,
  );
  await execFileAsync("tar", [
    "-cjf",
    join(root, "usr/src", name, `${name}.tar.bz2`),
    "-C",
    scratch,
    "linux-6.12",
  ]);
  await symlink(`${name}/${name}.tar.bz2`, join(root, "usr/src", `${name}.tar.bz2`));
  const deb = join(scratch, "ubuntu.deb");
  await execFileAsync("dpkg-deb", ["--root-owner-group", "-b", root, deb]);
  const directory = join(scratch, "from-deb");
  await mkdir(directory);
  await unpackDebianSource(deb, directory, {});
  expect(await digestOf(directory)).toBe(await digestOf(tree));
});

test("a tarball of the network is known by its sum, and asked for once", async () => {
  const path = join(scratch, "remote.tar.xz");
  await execFileAsync("tar", ["-cJf", path, "-C", scratch, "linux-6.12"]);
  const mirror = await startMirror({ "/pub/linux%20x.tar.xz": { path } });
  const url = `${mirror.url}/linux%20x.tar.xz`;
  const sha256 = await sha256File(path);
  const source = await resolveSource({ kind: "tarball", url, sha256 }, { cacheDir });
  expect(mirror.requests).toEqual([]);
  expect(await digestOf(await fetchSource(source, { cacheDir }))).toBe(await digestOf(tree));
  await rm(source.tree, { recursive: true });
  await fetchSource(source, { cacheDir, offline: true });
  expect(mirror.requests).toHaveLength(1);
  const wrong = await resolveSource({ kind: "tarball", url, sha256: "0".repeat(64) }, { cacheDir });
  await expect(fetchSource(wrong, { cacheDir })).rejects.toMatchObject({ code: "KERNEL_CHECKSUM" });
  await expect(resolveSource({ kind: "tarball", url, sha256: "12" }, { cacheDir })).rejects.toThrow(
    "is no sha256",
  );
  await expect(resolveSource({ kind: "tarball", url: "ftp://x/y", sha256 }, { cacheDir })).rejects.toThrow(
    "is no URL of a tarball",
  );
});
