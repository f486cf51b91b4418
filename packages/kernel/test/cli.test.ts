import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseConfig } from "@justenough/kconfig";
import { expect, test } from "vitest";
import { kernelCacheDir } from "../src/index.ts";
import { kbuild } from "./support/kbuild.ts";
import { realTree, scratchDirectory } from "./support/real-source.ts";

test("features are listed, and one is shown as its fragment", async () => {
  const list = await kbuild("features");
  expect(list.status).toBe(0);
  expect(list.out).toMatch(/^\* base +what any program needs/m);
  expect(list.out).toMatch(/^ {2}net +IPv4/m);
  expect((await kbuild("features", "net")).out).toContain("# why: IPv4");
  const json = JSON.parse((await kbuild("features", "--json")).out) as { name: string; default: boolean }[];
  expect(json.find(({ name }) => name === "serial")).toMatchObject({ default: true });
});

test("configure prints a .config, or writes it and tells what it holds", { timeout: 300_000 }, async () => {
  await realTree();
  const { status, out, err } = await kbuild("configure", "--source", "debian:6.12");
  expect(err).not.toContain("error");
  expect(status).toBe(0);
  expect(parseConfig(out).values.get("SERIAL_8250_CONSOLE")?.text).toBe("y");
  const file = join(await scratchDirectory(), "config");
  const json = await kbuild("configure", "--source", "debian:6.12", "--json", "-o", file);
  expect(JSON.parse(json.out)).toMatchObject({ output: file, counts: { m: 0 } });
  expect(await readFile(file, "utf8")).toBe(out);
});

test("a dry run prints commands that can be typed, and runs none", { timeout: 120_000 }, async () => {
  const cacheDir = await scratchDirectory();
  const { out, status } = await kbuild(
    "build",
    "--source",
    "debian:6.12",
    "--cache-dir",
    cacheDir,
    "--dry-run",
  );
  expect(status).toBe(0);
  const lines = out.trimEnd().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain("apt-get");
  expect(lines[1]).toMatch(/^dpkg-deb --fsys-tarfile \S+\.deb \| tar -xO \S+ \| tar -xJ/);
  expect(lines[2]).toMatch(/KCONFIG_ALLCONFIG=\S+ allnoconfig$/);
  expect(lines[3]).toMatch(/ -j\d+ .* bzImage$/);
  const tree = join(kernelCacheDir({ cacheDir }), "sources");
  await expect(readFile(join(tree, "Makefile"))).rejects.toThrow();
});

test("wrong usage is told with what was meant and exits 2, other errors exit 1", async () => {
  expect(await kbuild("buidl")).toEqual({
    status: 2,
    out: "",
    err: 'error: There is no command "buidl"\nhint: Did you mean "build"?\n',
  });
  expect(await kbuild("build", "--featur", "net")).toMatchObject({
    status: 2,
    err: 'error: There is no option "--featur"\nhint: Did you mean "--feature"?\n',
  });
  expect(await kbuild("build", "--jobs", "many", "--source", "debian:6.12")).toMatchObject({ status: 2 });
  expect(await kbuild("build", "extra")).toMatchObject({ status: 2 });
  expect(await kbuild("configure", "--set", "X", "--source", "debian:6.12")).toMatchObject({ status: 2 });
  expect(await kbuild("fetch", "--source", "/no/such/tree")).toMatchObject({
    status: 1,
    err: expect.stringContaining('"/no/such/tree" is no source') as string,
  });
  expect(await kbuild("features", "nett")).toMatchObject({ status: 1 });
});

test("the executable runs", async () => {
  const cli = fileURLToPath(new URL("../src/cli.ts", import.meta.url));
  const text = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [cli, "--help"], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    );
  });
  expect(text).toContain("kbuild build [options]");
  expect((await kbuild("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
});
