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

test("compiles to the same small static program each time, and keeps it", async () => {
  const options = { arch: "x86_64", cacheDir: join(directory, "one") } as const;
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
    machine: "x86_64",
    type: "executable",
    interpreter: undefined,
    buildId: undefined,
  });
  expect(bytes.length).toBeLessThan(32_768);
  // Nothing of the machine that built it.
  expect(bytes.includes("GCC:") || bytes.includes(directory) || bytes.includes("/assets/")).toBe(false);
});

test("says what to install when there is no compiler, and leaves nothing", async () => {
  const cacheDir = join(directory, "three");
  await expect(compileInit({ arch: "x86_64", cacheDir, compiler: "no-such-cc" })).rejects.toMatchObject({
    code: "INITRAMFS_TOOL",
    hint: "Install one: apt-get install gcc libc6-dev",
  });
  expect(existsSync(cacheDir)).toBe(false);
});
