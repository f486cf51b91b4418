import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { configureKernel, diffKernelConfigs, readKernelConfig } from "../src/index.ts";
import { kbuild } from "./support/kbuild.ts";
import { DEBIAN } from "./support/debian.ts";
import { realTree, scratchDirectory } from "./support/real-source.ts";

const A = 'CONFIG_SMP=y\nCONFIG_E1000=m\n# CONFIG_NET is not set\nCONFIG_NR_CPUS=8\nCONFIG_CMDLINE="a"\n';
const B = 'CONFIG_NR_CPUS=16\nCONFIG_CMDLINE="a"\nCONFIG_NET=y\nCONFIG_SMP=y\n';

// What CONFIG_IKCONFIG leaves in an image (kernel/configs.c).
function image(config: string): Buffer {
  const marks = [Buffer.from("IKCFG_ST"), gzipSync(config), Buffer.from("IKCFG_ED")];
  return Buffer.concat([Buffer.alloc(5000), ...marks, Buffer.alloc(300)]);
}

test("files, images, artifacts and build directories are compared by meaning", async () => {
  const at = await scratchDirectory();
  await Promise.all(
    ["artifacts", "distro/boot", "objects", "boot"].map((name) => mkdir(join(at, name), { recursive: true })),
  );
  await Promise.all([
    writeFile(join(at, "a.config"), A),
    writeFile(join(at, "artifacts/config"), A),
    writeFile(join(at, "distro/boot/config-6.1"), A),
    writeFile(join(at, "distro/manifest.json"), '{"config":"boot/config-6.1"}'),
    writeFile(join(at, "objects/.config"), B),
    writeFile(join(at, "image"), image(B)),
    writeFile(join(at, "boot/vmlinuz-6.1.0-2-amd64"), Buffer.alloc(10_000)),
    writeFile(join(at, "boot/config-6.1.0-2-amd64"), B),
  ]);
  for (const before of ["a.config", "artifacts", "distro"]) {
    for (const after of ["objects", "image", "boot/vmlinuz-6.1.0-2-amd64"]) {
      const result = await kbuild("diff", join(at, before), join(at, after));
      expect(result).toEqual({ status: 1, out: "-E1000 m\n+NET y\n NR_CPUS 8 -> 16\n", err: "" });
    }
  }
  const same = await kbuild("diff", join(at, "objects"), join(at, "image"));
  expect(same).toEqual({ status: 0, out: "", err: "" });
  const json = JSON.parse(
    (await kbuild("diff", join(at, "image"), join(at, "artifacts"), "--json")).out,
  ) as unknown;
  expect(json).toEqual({
    added: [{ symbol: "E1000", after: "m" }],
    removed: [{ symbol: "NET", before: "y" }],
    changed: [{ symbol: "NR_CPUS", before: "16", after: "8" }],
  });
});

test("what has no configuration is told, with where was looked", async () => {
  const at = await scratchDirectory();
  await writeFile(join(at, "vmlinuz-5"), Buffer.alloc(100));
  await expect(readKernelConfig(at)).rejects.toThrow(`no "config" or ".config"`);
  await expect(readKernelConfig(join(at, "vmlinuz-5"))).rejects.toMatchObject({
    code: "KERNEL_CONFIG",
    message: expect.stringContaining(
      'carries no configuration, and there is no "config-5" or "config"',
    ) as string,
  });
  expect(await kbuild("diff", join(at, "none"), at)).toMatchObject({ status: 1 });
  expect(await kbuild("diff", at)).toMatchObject({ status: 2 });
  expect((await kbuild("diff", "--help")).out).toContain("kbuild diff A B");
});

test("a feature differs by what it asks for and what follows", { timeout: 120_000 }, async () => {
  await realTree();
  const at = await scratchDirectory();
  const [plain, more] = await Promise.all(
    [[], ["debug"]].map((features) => configureKernel({ source: DEBIAN, features: ["base", ...features] })),
  );
  await Promise.all([
    writeFile(join(at, "a"), plain?.text ?? ""),
    writeFile(join(at, "b"), more?.text ?? ""),
  ]);
  const { added, removed } = await diffKernelConfigs(join(at, "a"), join(at, "b"));
  expect(added.map(({ symbol }) => symbol)).toEqual(expect.arrayContaining(["IKCONFIG", "KALLSYMS"]));
  expect(removed).toEqual([]);
});
