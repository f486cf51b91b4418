import { execFile } from "node:child_process";
import { appendFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { buildKernel, buildModules, exportArtifacts, fetchSource, resolveSource } from "../src/index.ts";
import type { KernelArtifacts } from "../src/index.ts";
import { MODULAR_KERNEL, SIGNED_KERNEL } from "./support/built-kernel.ts";
import { writeGreeting } from "./support/greeting.ts";
import { kbuild } from "./support/kbuild.ts";
import { digestOf, scratchDirectory } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
let kernel: KernelArtifacts;

beforeAll(async () => {
  kernel = await buildKernel(MODULAR_KERNEL);
}, 1_800_000);

test("a directory of modules is built against the artifacts alone", { timeout: 120_000 }, async () => {
  const scratch = await scratchDirectory();
  // Copied away: whatever the headers need of the source or the build directory would be missing.
  const copy = await exportArtifacts(kernel, join(scratch, "kernel"));
  const source = join(scratch, "greeting");
  await writeGreeting(source);
  const before = await digestOf(source);
  const cacheDir = join(scratch, "cache");
  const built = await buildModules({ kernel: copy, directory: source, cacheDir });
  expect(built.modules).toMatchObject([
    { name: "greeting", path: "updates/greeting.ko", depends: [] },
    { name: "hello", path: "updates/hello.ko", depends: ["greeting"] },
  ]);
  expect(built.modules[0]?.vermagic).toMatch(new RegExp(`^${kernel.release} `));
  expect(await digestOf(source)).toBe(before);
  const dep = await readFile(join(built.directory, "modules.dep"), "utf8");
  expect(dep).toContain("updates/hello.ko: updates/greeting.ko\n");
  expect(dep).toContain("kernel/drivers/net/dummy.ko:");

  const again = await buildModules({ kernel: copy, directory: source, cacheDir });
  expect(again).toEqual({ ...built, fromCache: true });
  // Elsewhere the bytes are the same: no path is in them.
  const other = join(scratch, "other/place");
  await writeGreeting(other);
  const second = await buildModules({ kernel, directory: other, cacheDir: join(scratch, "second") });
  const bytes = await readFile(join(built.directory, "updates/hello.ko"));
  expect(await readFile(join(second.directory, "updates/hello.ko"))).toEqual(bytes);
  expect(bytes.includes("\0where.c\0")).toBe(true);

  const output = join(scratch, "out");
  const run = await kbuild("modules", copy.directory, source, "-o", output, "--cache-dir", cacheDir);
  expect(run).toMatchObject({
    status: 0,
    out: `${join(output, "lib/modules", kernel.release)}\ngreeting\nhello  needs greeting\n`,
  });
  const listed = await execFileAsync("modprobe", ["-d", output, "-S", kernel.release, "-n", "-v", "hello"]);
  expect(listed.stdout).toMatch(/insmod \S*greeting\.ko \ninsmod \S*hello\.ko /);
});

test("the headers lead nowhere else", async () => {
  const { headers = "" } = kernel;
  const tree = await fetchSource(await resolveSource(MODULAR_KERNEL.source));
  const { stdout } = await execFileAsync("sh", [
    "-c",
    'grep -rlF -e "$2" -e /kernel/objects/ "$1" || true; find "$1" -type l ! -exec test -e {} ";" -print',
    "sh",
    headers,
    tree,
  ]);
  expect(stdout).toBe("");
});

test(
  "modules are signed by the key of the kernel's build, or not at all",
  { timeout: 1_800_000 },
  async () => {
    const signing = await buildKernel(SIGNED_KERNEL);
    const scratch = await scratchDirectory();
    const directory = join(scratch, "greeting");
    await writeGreeting(directory);
    const built = await buildModules({ kernel: signing, directory });
    const { stdout } = await execFileAsync("modinfo", [
      "-F",
      "sig_hashalgo",
      join(built.directory, "updates/hello.ko"),
      join(built.directory, "kernel/lib/crc-itu-t.ko"),
    ]);
    expect(stdout).toBe("sha256\nsha256\n");
    // The key stays where it was made.
    const { stdout: left } = await execFileAsync("sh", [
      "-c",
      'grep -rlF "PRIVATE KEY" "$0" || true',
      signing.directory,
    ]);
    expect(left).toBe("");
    const elsewhere = buildModules({ kernel: signing, directory, cacheDir: join(scratch, "cache") });
    await expect(elsewhere).rejects.toMatchObject({
      code: "KERNEL_BUILD",
      message: expect.stringMatching(
        /^The kernel trusts modules of another key than ".*modules\.pem"$/,
      ) as string,
    });
    const config = { MODULE_SIG_KEY: join(scratch, "none.pem") };
    await expect(buildKernel({ ...SIGNED_KERNEL, config })).rejects.toMatchObject({
      code: "KERNEL_CONFIG",
      message: expect.stringContaining("there is no certificate in it") as string,
    });
  },
);

test("debugging information is left out of modules on request", { timeout: 1_800_000 }, async () => {
  const directory = join(await scratchDirectory(), "greeting");
  await writeGreeting(directory);
  await appendFile(join(directory, "Makefile"), "ccflags-y := -g\n");
  const sections = async (of: KernelArtifacts): Promise<string> => {
    const built = await buildModules({ kernel: of, directory });
    return (await execFileAsync("readelf", ["-SW", join(built.directory, "updates/hello.ko")])).stdout;
  };
  expect(await sections(kernel)).toContain(" .debug_info ");
  expect(await sections(await buildKernel(SIGNED_KERNEL))).not.toContain(" .debug_info ");
});

test("what is wrong with a module is told", { timeout: 60_000 }, async () => {
  const [directory, cacheDir] = [await scratchDirectory(), await scratchDirectory()];
  const build = async (): Promise<unknown> => buildModules({ kernel, directory, cacheDir });
  await expect(build()).rejects.toMatchObject({
    code: "KERNEL_SOURCE",
    message: `There is no Makefile or Kbuild in "${directory}"`,
  });
  await writeFile(join(directory, "Makefile"), "obj-m := broken.o\n");
  await writeFile(join(directory, "broken.c"), "#include <linux/module.h>\nint f(void) { return gone; }\n");
  await expect(build()).rejects.toMatchObject({
    code: "KERNEL_BUILD",
    message: expect.stringMatching(
      /^The build of the modules in ".*" failed: broken\.c:2:\d+: 'gone' undeclared/,
    ) as string,
    diagnostics: expect.arrayContaining([expect.objectContaining({ file: "broken.c", line: 2 })]) as unknown,
  });
  const { headers: _, ...without } = kernel;
  await expect(buildModules({ kernel: without, directory })).rejects.toMatchObject({
    hint: 'Build one with the feature "modules"',
  });
  const foreign = { ...kernel, provenance: { ...kernel.provenance, toolchain: "gcc version 1" } };
  await expect(buildModules({ kernel: foreign, directory })).rejects.toThrow("another compiler");
  await mkdir(join(directory, "empty"));
  expect(await kbuild("modules", directory, directory)).toMatchObject({ status: 1 });
  // Nothing half-made is left.
  const left = await readdir(join(cacheDir, "kernel/modules")).catch(() => []);
  expect(left.filter((name) => !name.endsWith(".lock"))).toEqual([]);
});
