import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { compareNames, decodeLdSoCache, encodeLdSoCache } from "../src/internal/ld-so-cache.ts";

function ldconfig(...args: string[]): string[] {
  const text = execFileSync("/sbin/ldconfig", [...args, "-p"], { encoding: "utf8", env: { LC_ALL: "C" } });
  return text
    .split("\n")
    .map((line) => /^\t(\S+) \(.*\) => (\S+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name, path]) => `${name} ${path}`);
}

test("reads the machine's cache as ldconfig does", () => {
  const entries = decodeLdSoCache(readFileSync("/etc/ld.so.cache"));
  const ours = entries?.map(({ name, path }) => `${name} ${path}`);
  expect(ours?.length).toBeGreaterThan(20);
  expect(ours).toEqual(ldconfig());
});

test("writes a cache that ldconfig reads, in the order that the loader searches", () => {
  const machine = decodeLdSoCache(readFileSync("/etc/ld.so.cache")) ?? [];
  const names = machine.map(({ name }) => name);
  expect([...names].sort((a, b) => compareNames(b, a))).toEqual(names);
  const directory = mkdtempSync(join(tmpdir(), "initramfs-cache-"));
  try {
    const path = join(directory, "ld.so.cache");
    writeFileSync(path, encodeLdSoCache([...machine].reverse()));
    expect(ldconfig("-C", path)).toEqual(ldconfig());
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test("refuses what is no cache, cut or lying about its size", () => {
  const good = encodeLdSoCache([{ name: "libx.so.1", path: "/opt/libx.so.1", flags: 0x0303 }]);
  expect(decodeLdSoCache(good)?.length).toBe(1);
  for (let length = 0; length < good.length; length++) {
    expect(decodeLdSoCache(good.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
  const lying = good.slice();
  new DataView(lying.buffer).setUint32(20, 0xffff_ffff, true);
  expect(decodeLdSoCache(lying)).toBeUndefined();
});
