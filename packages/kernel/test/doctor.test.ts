import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { buildKernel, configureKernel, examineMachine } from "../src/index.ts";
import { compilerFor } from "../src/internal/compiler.ts";
import { findProgram, needsOf } from "../src/internal/needs.ts";
import { searchPath } from "../src/internal/process.ts";
import { toolchainVersion } from "../src/internal/toolchain.ts";
import { kbuild } from "./support/kbuild.ts";
import { DEBIAN } from "./support/debian.ts";
import { scratchDirectory } from "./support/real-source.ts";

const NEEDS = needsOf(compilerFor("x86_64"), () => true);

/** A directory with all programs that are needed but some. */
async function binWithout(...missing: string[]): Promise<string> {
  const bin = join(await scratchDirectory(), "bin");
  await mkdir(bin);
  for (const { what, kind } of NEEDS) {
    const path = kind === "program" ? await findProgram(what, searchPath()) : undefined;
    if (path !== undefined && !missing.includes(what)) await symlink(path, join(bin, what));
  }
  return bin;
}

test("a machine where kernels are built is ready, and says with what", async () => {
  const { ready, problems, tools, optional, disk } = await examineMachine();
  expect(problems).toEqual([]);
  expect(ready).toBe(true);
  const gcc = tools.find(({ what }) => what === "gcc");
  expect(await toolchainVersion(compilerFor("x86_64"))).toContain(`gcc version ${gcc?.version}`);
  for (const name of ["make", "ld", "flex", "bison", "bc", "perl"]) {
    expect(tools.find(({ what }) => what === name)?.version, name).toMatch(/^\d+\.\d+/);
  }
  expect(optional.map(({ what }) => what)).toContain("ccache");
  expect(disk.free).toBeGreaterThan(disk.wanted);
  const { status, out } = await kbuild("doctor");
  expect(status).toBe(0);
  expect(out).toMatch(/^ {2}\+ gcc {2}\d+\.\d+/m);
  expect(out).toContain("A build would start.\n");
  expect(JSON.parse((await kbuild("doctor", "--json")).out)).toMatchObject({ ready: true, problems: [] });
});

test("what is missing is named with its package", async () => {
  const path = [await binWithout("bison", "depmod")];
  const { ready, problems, install, tools } = await examineMachine({ path });
  expect(ready).toBe(false);
  expect(problems).toEqual(['"bison" is not installed: apt-get install bison']);
  // What only some kernels need is no problem, but worth installing in one go.
  expect(install?.split(" ")).toEqual(expect.arrayContaining(["bison", "kmod"]));
  expect(tools.find(({ what }) => what === "depmod")).toMatchObject({ found: false, symbols: ["MODULES"] });
});

test("the needs of the default kernel count", { timeout: 120_000 }, async () => {
  const { config } = await configureKernel({ source: DEBIAN });
  const isOn = (symbol: string): boolean => config.values.get(symbol)?.text === "y";
  for (const { what, kind, symbols } of NEEDS) {
    if (kind === "header") continue;
    const { ready } = await examineMachine({ path: [await binWithout(what)] });
    expect(ready, what).toBe(symbols !== undefined && !symbols.some(isOn));
  }
});

test("a compiler that is too old is told", async () => {
  const bin = await binWithout("gcc");
  await writeFile(join(bin, "gcc"), "#!/bin/sh\necho 'gcc (Debian 4.9.2-10+deb8u2) 4.9.2'\n", {
    mode: 0o755,
  });
  const { problems } = await examineMachine({ path: [bin] });
  expect(problems).toEqual(['"gcc" is version 4.9.2, wanted at least 5.1']);
});

test("a build makes the same check before it starts", { timeout: 60_000 }, async () => {
  const before = process.env["PATH"];
  const bin = await scratchDirectory();
  // A compiler that finds no header: it comes first in the path, and the C library's are missing.
  await writeFile(join(bin, "gcc"), '#!/bin/sh\n[ "$1" = -E ] && exit 1\nexec /usr/bin/gcc "$@"\n', {
    mode: 0o755,
  });
  try {
    process.env["PATH"] = `${bin}:${before}`;
    await expect(
      buildKernel({ source: DEBIAN, features: ["base"], config: { LOCALVERSION: '"-none"' } }),
    ).rejects.toMatchObject({
      code: "KERNEL_TOOL_MISSING",
      message: 'The kernel\'s build needs what is not installed: "stdio.h"',
      hint: "apt-get install libc6-dev",
    });
  } finally {
    process.env["PATH"] = before;
  }
});

test("space on the disk is looked at where the cache is going to be", async () => {
  const cacheDir = join(await scratchDirectory(), "not/yet");
  const { disk } = await examineMachine({ cacheDir });
  expect(disk.path).toBe(join(cacheDir, "kernel"));
  expect(disk.free).toBeGreaterThan(0);
  expect(disk.wanted).toBe(2.5e9);
  await mkdir(join(disk.path, "sources/linux-6.12"), { recursive: true });
  expect((await examineMachine({ cacheDir })).disk.wanted).toBe(0.5e9);
});
