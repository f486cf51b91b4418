import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { checkInitramfs, collect, readModules } from "../src/index.ts";
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

/** An ELF file with a .modinfo section: the assembler's. */
function moduleFile(...firmware: readonly string[]): Buffer {
  const text = firmware.map((name) => `.asciz "firmware=${name}"\n`).join("");
  const output = join(directory, "module.o");
  const source = `.section .modinfo,"a"\n.asciz "license=GPL"\n${text}`;
  execFileSync("as", ["-o", output, "-"], { input: source });
  return readFileSync(output);
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

  test("devices' modaliases stand for what modprobe would load", async () => {
    const patterns = readFileSync(join(kernel.modules, "modules.alias"), "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1])
      .filter((alias) => alias?.includes(":") === true && !alias.includes("["));
    let compared = 0;
    for (let at = 0; at < patterns.length; at += Math.ceil(patterns.length / 25)) {
      const alias = (patterns[at] as string).replaceAll("*", "0");
      const root = kernel.modules.replace(/\/lib\/modules\/.*/, "");
      const args = ["-d", root, "-S", kernel.release, "-C", "/dev/null", "--resolve-alias", alias];
      const theirs = execFileSync("/sbin/modprobe", args, { encoding: "utf8" }).split("\n").filter(Boolean);
      const { modules, builtin } = await readModules({ directory: kernel.modules, names: [alias] });
      const asked = modules.filter(({ why }) => why === `kernel module "${alias}"`).map(({ name }) => name);
      expect([...asked, ...builtin].sort(), alias).toEqual([...new Set(theirs)].sort());
      compared += theirs.length;
    }
    expect(compared).toBeGreaterThanOrEqual(25);
  });

  test("patterns stand for names or for paths", async () => {
    const dep = readFileSync(join(kernel.modules, "modules.dep"), "utf8").split("\n");
    const paths = dep.map((line) => line.split(":")[0] as string);
    const ask = async (pattern: string): Promise<string[]> => {
      const { modules } = await readModules({ directory: kernel.modules, names: [pattern] });
      return modules.filter(({ why }) => why.includes(pattern)).map(({ source }) => source);
    };
    const nat = paths.filter((path) => /\/nf[-_]nat[^/]*$/.test(path));
    expect(nat.length).toBeGreaterThan(3);
    expect((await ask("nf-nat*")).sort()).toEqual(nat.sort());
    const bridge = paths.filter((path) => path.startsWith("kernel/net/bridge/"));
    expect(bridge.length).toBeGreaterThan(3);
    expect((await ask("kernel/net/bridge/*")).sort()).toEqual(bridge.sort());
    for (const names of [["nothing_of_*"], ["virtio:d0000FFFFv00000000"]]) {
      await expect(readModules({ directory: kernel.modules, names })).rejects.toMatchObject({
        code: "INITRAMFS_MODULE_NOT_FOUND",
      });
    }
  });

  test("brings what a module may ask for later, without loading it", async () => {
    const weak = mkdtempSync(join(directory, "weak-"));
    for (const name of ["a", "b", "c", "d"]) writeFileSync(join(weak, `${name}.ko`), moduleFile());
    writeFileSync(join(weak, "modules.dep"), "a.ko:\nb.ko: c.ko\nc.ko:\nd.ko:\n");
    writeFileSync(join(weak, "modules.weakdep"), "# Aliases\nweakdep a b gone\nweakdep c d\n");
    const { modules } = await readModules({ directory: weak, names: ["a"] });
    expect(modules.map(({ name, load, why }) => `${name} ${load} ${why}`)).toEqual([
      'a true kernel module "a"',
      "c false needed by b",
      "b false may be asked for by a",
      "d false may be asked for by c",
    ]);
  });

  test("brings the firmware that modules name, as the kernel would find it", async () => {
    const root = mkdtempSync(join(directory, "root-"));
    const modules = join(root, "usr/lib/modules/6.12.0");
    const firmware = join(root, "usr/lib/firmware");
    mkdirSync(modules, { recursive: true });
    mkdirSync(join(firmware, "updates"), { recursive: true });
    mkdirSync(join(firmware, "card"));
    symlinkSync("usr/lib", join(root, "lib"));
    const put = (name: string, bytes: string | Uint8Array): void =>
      writeFileSync(join(firmware, name), bytes);
    put("plain.bin", "plain");
    put("plain.bin.xz", "not looked at");
    put("packed.bin.zst", zstdCompressSync("packed"));
    put("card/real-2.bin.xz", execFileSync("xz", ["-c", "--check=crc32"], { input: "real" }));
    symlinkSync("card/real-2.bin.xz", join(firmware, "linked.bin.xz"));
    put("newer.bin", "old");
    put("updates/newer.bin", "new");
    for (const name of ["one.fw", "two.fw.zst", "other"]) {
      put(`card/${name}`, name.endsWith("zst") ? zstdCompressSync("two") : name);
    }
    const named = [
      "plain.bin",
      "packed.bin",
      "linked.bin",
      "newer.bin",
      "card/*.fw",
      "gone.bin",
      "../../etc/passwd",
    ];
    writeFileSync(join(modules, "nic.ko"), moduleFile(...named));
    writeFileSync(join(modules, "modules.dep"), "nic.ko:\n");
    writeFileSync(join(modules, "modules.builtin"), "kernel/drivers/base/gpu.ko\n");
    writeFileSync(join(modules, "modules.builtin.modinfo"), "gpu.firmware=card/other\0gpu.alias=pci:v1*\0");
    const tree = await collect({
      sysroot: root,
      programs: [],
      modules: { directory: modules, names: ["nic", "pci:v1d2"] },
      init: { kind: "generated", args: ["x"] },
      arch: "x86_64",
    });
    const found = tree.entries().flatMap(([path, node]) => {
      if (!path.startsWith("/usr/lib/firmware/") || node.kind === "directory") return [];
      const bytes = node.kind === "file" && node.content.kind === "bytes" ? node.content.bytes : "";
      return [`${path.slice(18)} ${node.kind === "link" ? `-> ${node.to}` : Buffer.from(bytes).toString()}`];
    });
    expect(found).toEqual([
      "card/one.fw one.fw",
      "card/other other",
      "card/real-2.bin real",
      "card/two.fw two",
      "linked.bin -> card/real-2.bin",
      "packed.bin packed",
      "plain.bin plain",
      "updates/newer.bin new",
    ]);
    expect(tree.get("/lib")).toMatchObject({ kind: "link", to: "usr/lib" });
    const notes = checkInitramfs(tree).filter(({ code }) => code === "firmware-missing");
    expect(notes.map(({ message }) => message)).toEqual([
      'Not in the image is firmware that may be loaded by nic ("gone.bin" and 1 more)',
    ]);
  });

  test("brings the firmware of drivers that are built in, of what there is", async () => {
    const root = mkdtempSync(join(directory, "built-in-"));
    const firmware = join(root, "usr/lib/firmware");
    mkdirSync(join(firmware, "card"), { recursive: true });
    symlinkSync("usr/lib", join(root, "lib"));
    writeFileSync(join(firmware, "card/a.bin.zst"), zstdCompressSync("a"));
    writeFileSync(join(firmware, "card/b.bin"), "b");
    writeFileSync(join(root, "secret"), "secret");
    const files = ["card/*.bin", "gone.bin", "../../../secret"];
    const tree = await collect({
      sysroot: root,
      programs: [],
      firmware: files.map((file) => ({ module: "nic", file })),
      init: { kind: "generated", args: ["x"] },
      arch: "x86_64",
    });
    const found = tree.entries().flatMap(([path, node]) => {
      if (node.kind !== "file" || node.content.kind !== "bytes" || !path.includes("firmware")) return [];
      return [`${path} ${Buffer.from(node.content.bytes).toString()}, ${node.why}`];
    });
    expect(found).toEqual([
      "/usr/lib/firmware/card/a.bin a, firmware of nic",
      "/usr/lib/firmware/card/b.bin b, firmware of nic",
    ]);
    expect(tree.get("/lib")).toMatchObject({ kind: "link", to: "usr/lib" });
  });

  test("suggests the module that was meant", async () => {
    await expect(readModules({ directory: kernel.modules, names: ["virtio_nett"] })).rejects.toMatchObject({
      code: "INITRAMFS_MODULE_NOT_FOUND",
      hint: 'Did you mean "virtio_net"?',
    });
  });

  test("unpacks what the kernel's build can pack, and refuses to leave the directory", async () => {
    mkdirSync(join(directory, "kernel"));
    const module = moduleFile();
    writeFileSync(join(directory, "kernel/a.ko"), module);
    writeFileSync(join(directory, "kernel/b.ko.gz"), gzipSync(module));
    writeFileSync(join(directory, "kernel/c.ko.zst"), zstdCompressSync(module));
    const xz = execFileSync("xz", ["-c", "--check=crc32"], { input: module });
    writeFileSync(join(directory, "kernel/d.ko.xz"), xz);
    const lines =
      "kernel/a.ko:\nkernel/b.ko.gz: kernel/a.ko\nkernel/c.ko.zst: kernel/b.ko.gz kernel/a.ko\nkernel/d.ko.xz:\n";
    writeFileSync(join(directory, "modules.dep"), lines);
    const { modules } = await readModules({ directory, names: ["d", "c"] });
    expect(modules.map(({ target }) => target)).toEqual(
      ["a", "b", "c", "d"].map((name) => `kernel/${name}.ko`),
    );
    expect(modules.every(({ bytes }) => module.equals(bytes))).toBe(true);
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
