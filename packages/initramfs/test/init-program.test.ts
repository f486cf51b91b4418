import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readElf } from "@justenough/elf";
import { afterAll, beforeAll, expect, test } from "vitest";

import { compileInit } from "../src/index.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "initramfs-init-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

// As ELF names them. Pages may be of 64 KiB on arm64, so that its segments lie further apart.
const MACHINES = [
  { arch: "x86_64", machine: "x86_64", most: 32_768 },
  { arch: "arm64", machine: "aarch64", most: 80_000 },
  { arch: "riscv64", machine: "riscv", most: 32_768 },
] as const;

test.each(MACHINES)(
  "compiles for $arch to the same small static program each time, and keeps it",
  async (on) => {
    const options = { arch: on.arch, cacheDir: join(directory, "one") };
    const [first, again] = [await compileInit(options), await compileInit(options)];
    expect([first.fromCache, again.fromCache]).toEqual([false, true]);
    expect(again.path).toBe(first.path);
    const other = await compileInit({ ...options, cacheDir: join(directory, "two") });
    expect(other.fromCache).toBe(false);
    const bytes = readFileSync(first.path);
    expect(readFileSync(other.path).equals(bytes)).toBe(true);
    expect(statSync(first.path).mode & 0o111).not.toBe(0);
    const elf = readElf(bytes);
    expect(elf).toMatchObject({
      machine: on.machine,
      type: "executable",
      interpreter: undefined,
      buildId: undefined,
    });
    expect(bytes.length).toBeLessThan(on.most);
    // Nothing of the machine that built it.
    expect(bytes.includes("GCC:") || bytes.includes(directory) || bytes.includes("/assets/")).toBe(false);
  },
);

test("says what to install when there is no compiler, and leaves nothing", async () => {
  const cacheDir = join(directory, "three");
  await expect(compileInit({ arch: "x86_64", cacheDir, compiler: "no-such-cc" })).rejects.toMatchObject({
    code: "INITRAMFS_TOOL",
    hint: "Install one: apt-get install gcc linux-libc-dev",
  });
  await expect(compileInit({ arch: "riscv64", cacheDir, compiler: "no-such-cc" })).rejects.toMatchObject({
    hint: "Install one: apt-get install gcc-riscv64-linux-gnu linux-libc-dev-riscv64-cross",
  });
  expect(existsSync(cacheDir)).toBe(false);
});
