import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { compilerFor } from "../src/internal/compiler.ts";
import { checkTools, toolchainVersion } from "../src/internal/toolchain.ts";

test("all that this machine needs for the default kernel is there", async () => {
  await checkTools(
    compilerFor("x86_64"),
    parseConfig("CONFIG_KERNEL_ZSTD=y\nCONFIG_OBJTOOL=y\nCONFIG_MODULES=y\n"),
  );
});

test("all that is missing is named at once, with the packages to install", async () => {
  const empty = await mkdtemp(join(tmpdir(), "kernel-path-"));
  try {
    const config = parseConfig(
      "CONFIG_KERNEL_LZ4=y\nCONFIG_MODULES=y\nCONFIG_OBJTOOL=y\nCONFIG_DEBUG_INFO_BTF=y\n",
    );
    await expect(checkTools(compilerFor("x86_64"), config, undefined, [empty])).rejects.toMatchObject({
      code: "KERNEL_TOOL_MISSING",
      message: expect.stringContaining(
        '"bc", "bison", "depmod", "flex", "flock", "gcc", "ld", "lz4", "make", "pahole", "perl"',
      ) as string,
      hint: "apt-get install bc binutils bison flex gcc kmod lz4 make pahole perl util-linux",
    });
  } finally {
    await rm(empty, { recursive: true, force: true });
  }
});

test("the toolchain is known by what compiler and linker say", async () => {
  const version = await toolchainVersion(compilerFor("x86_64"));
  expect(version).toMatch(/gcc version \d+/);
  expect(version).toMatch(/GNU ld|LLD/);
});
