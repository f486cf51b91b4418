import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compileGuestProgram, guestSources } from "../../src/agent/program.ts";
import { agentSegment } from "../../src/index.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "qemu-program-test-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// As ELF numbers machines. Pages may be of 64 KiB on arm64, so that its segments lie further apart.
test.each([
  { arch: "x86_64", machine: 62, most: 24_576 },
  { arch: "arm64", machine: 183, most: 80_000 },
  { arch: "riscv64", machine: 243, most: 24_576 },
] as const)("compiles for $arch to the same small static program each time, and keeps it", async (on) => {
  const [one, two] = [join(directory, "one"), join(directory, "two")];
  const path = await compileGuestProgram("agent", { arch: on.arch, cacheDir: one });
  const bytes = await readFile(path);
  expect(
    bytes.equals(await readFile(await compileGuestProgram("agent", { arch: on.arch, cacheDir: two }))),
  ).toBe(true);
  expect(bytes.readUInt16LE(18)).toBe(on.machine);
  // ET_EXEC, and no PT_INTERP among its program headers.
  expect(bytes.readUInt16LE(16)).toBe(2);
  const headers = Array.from({ length: bytes.readUInt16LE(56) }, (_, index) =>
    bytes.readUInt32LE(Number(bytes.readBigUInt64LE(32)) + 56 * index),
  );
  expect(headers).not.toContain(3);
  expect(bytes.length).toBeLessThan(on.most);
  // Nothing of the machine that built it.
  expect(bytes.includes("GCC:") || bytes.includes(directory) || bytes.includes("/assets/")).toBe(false);
  // Found again without its compiler's work, and without a trace of it.
  expect(await compileGuestProgram("agent", { arch: on.arch, cacheDir: one })).toBe(path);
  expect((await readdir(join(one, "qemu"))).filter((name) => name.includes(on.arch))).toHaveLength(1);
  const segment = Buffer.from(await agentSegment({ arch: on.arch, cacheDir: one }));
  expect([segment.length % 4, segment.includes(bytes)]).toEqual([0, true]);
});

test("says what to install when there is no compiler, and leaves nothing", async () => {
  const cacheDir = join(directory, "three");
  await expect(
    compileGuestProgram("agent", { arch: "riscv64", cacheDir, compiler: "no-such-cc" }),
  ).rejects.toMatchObject({
    code: "QEMU_AGENT_COMPILER",
    hint: "Install it: apt-get install gcc-riscv64-linux-gnu linux-libc-dev-riscv64-cross (Debian, Ubuntu)",
  });
  await expect(readdir(cacheDir)).rejects.toThrow("ENOENT");
});

test.each(["agent", "tracer"] as const)(
  "the sources of the %s are in the published package",
  async (name) => {
    const root = new URL("../..", import.meta.url).pathname;
    const { files } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as { files: string[] };
    const sources = await guestSources(name);
    const paths = sources.files.map((file) => relative(root, join(sources.directory, file)));
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !files.some((shipped) => path.startsWith(`${shipped}/`)))).toEqual([]);
  },
);
