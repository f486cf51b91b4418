import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { readModules } from "../src/index.ts";
import { cloudKernel, type CloudKernel } from "./support/cloud-kernel.ts";

let kernel: CloudKernel;
let directory: string;
beforeAll(() => {
  kernel = cloudKernel();
  directory = mkdtempSync(join(tmpdir(), "initramfs-modules-"));
}, 120_000);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** What modprobe would load, in its order. */
function modprobe(name: string): string[] {
  const root = kernel.modules.replace(/\/lib\/modules\/.*/, "");
  const args = ["-d", root, "-S", kernel.release, "--show-depends", "-C", "/dev/null", name];
  return execFileSync("/sbin/modprobe", args, { encoding: "utf8" })
    .split("\n")
    .filter((line) => line.startsWith("insmod "))
    .map((line) => basename(line.split(" ")[1] as string));
}

describe("readModules", () => {
  test.each([
    "virtio_net",
    "virtio-blk",
    "xfs",
    "btrfs",
    "overlay",
    "wireguard",
    "nf_conntrack",
    "hv_netvsc",
  ])("loads %s in modprobe's order", async (name) => {
    const expected = modprobe(name);
    expect(expected.length).toBeGreaterThan(0);
    const { modules, release } = await readModules({ directory: kernel.modules, names: [name] });
    expect(modules.map(({ source }) => basename(source))).toEqual(expected);
    expect(release).toBe(kernel.release);
    for (const { bytes } of modules)
      expect(Buffer.from(bytes.subarray(0, 4)).toString("latin1")).toBe("\x7fELF");
  });

  test("passes over what is built in", async () => {
    const builtin = readFileSync(join(kernel.modules, "modules.builtin"), "utf8").split("\n")[0] as string;
    const name = basename(builtin, ".ko");
    const result = await readModules({ directory: kernel.modules, names: [name] });
    expect(result).toMatchObject({ modules: [], builtin: [name.replaceAll("-", "_")] });
  });

  test("suggests the module that was meant", async () => {
    await expect(readModules({ directory: kernel.modules, names: ["virtio_nett"] })).rejects.toMatchObject({
      code: "INITRAMFS_MODULE_NOT_FOUND",
      hint: 'Did you mean "virtio_net"?',
    });
  });

  test("unpacks what the kernel's build can pack, and refuses to leave the directory", async () => {
    mkdirSync(join(directory, "kernel"));
    writeFileSync(join(directory, "plain"), "module");
    writeFileSync(join(directory, "kernel/a.ko"), "module");
    writeFileSync(join(directory, "kernel/b.ko.gz"), gzipSync("module"));
    writeFileSync(join(directory, "kernel/c.ko.zst"), zstdCompressSync("module"));
    writeFileSync(
      join(directory, "kernel/d.ko.xz"),
      execFileSync("xz", ["-c", "--check=crc32"], { input: "module" }),
    );
    const lines =
      "kernel/a.ko:\nkernel/b.ko.gz: kernel/a.ko\nkernel/c.ko.zst: kernel/b.ko.gz kernel/a.ko\nkernel/d.ko.xz:\n";
    writeFileSync(join(directory, "modules.dep"), lines);
    const { modules } = await readModules({ directory, names: ["d", "c"] });
    expect(modules.map(({ target }) => target)).toEqual(
      ["a", "b", "c", "d"].map((name) => `kernel/${name}.ko`),
    );
    expect(modules.every(({ bytes }) => Buffer.from(bytes).toString() === "module")).toBe(true);
    expect(modules.map(({ why }) => why)).toEqual([
      "needed by c",
      "needed by c",
      'kernel module "c"',
      'kernel module "d"',
    ]);
    writeFileSync(join(directory, "modules.dep"), "../../etc/shadow.ko:\n");
    await expect(readModules({ directory, names: ["shadow"] })).rejects.toMatchObject({
      code: "INITRAMFS_FORMAT",
    });
  });

  test("says what is missing from a directory", async () => {
    const empty = mkdtempSync(join(directory, "empty-"));
    await expect(readModules({ directory: empty, names: ["x"] })).rejects.toMatchObject({
      code: "INITRAMFS_NOT_FOUND",
      hint: expect.stringContaining("depmod") as string,
    });
  });
});
