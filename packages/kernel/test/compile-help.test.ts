import { execFile } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { kernelCacheDir } from "../src/index.ts";
import { compileHelp } from "../src/internal/compile-help.ts";
import type { CompileHelpers } from "../src/internal/compile-help.ts";
import { compilerFor } from "../src/internal/compiler.ts";
import { prefixMaps } from "../src/internal/make.ts";
import { cleanEnv } from "../src/internal/process.ts";
import { checkRemoteCache } from "../src/internal/remote-cache.ts";
import { daemon, eventually } from "./support/daemon.ts";
import { freePort } from "./support/free-port.ts";
import { scratchDirectory } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
const PLAN = { compiler: compilerFor("x86_64"), toolchain: "the one of this test" };

/** A cache with a tree of one file, which is compiled in a build directory as Kbuild would. */
async function machine(objectsName: string): Promise<{
  cacheDir: string;
  compile: (helpers: CompileHelpers) => Promise<Buffer>;
  stats: () => Promise<Record<string, number>>;
}> {
  const cacheDir = await scratchDirectory();
  const cache = kernelCacheDir({ cacheDir });
  const [tree, objects] = [join(cache, "sources/linux"), join(cache, "objects", objectsName)];
  await mkdir(join(tree, "kernel"), { recursive: true });
  await mkdir(join(objects, "kernel"), { recursive: true });
  await writeFile(join(tree, "kernel/one.h"), "#define WHERE __FILE__\n");
  await writeFile(
    join(tree, "kernel/one.c"),
    '#include "one.h"\nconst char *where(void) { return WHERE __FILE__; }\n',
  );
  const flags = prefixMaps(tree, objects)[0]?.replace("KCFLAGS=", "").split(" ") ?? [];
  const args = [
    "-g",
    "-O2",
    ...flags,
    `-I${tree}/kernel`,
    "-Wp,-MMD,kernel/.one.o.d",
    "-c",
    "-o",
    "kernel/one.o",
  ];
  return {
    cacheDir,
    compile: async (helpers) => {
      const { env } = await compileHelp(PLAN, { cacheDir, ...helpers });
      await execFileAsync("gcc", [...args, join(tree, "kernel/one.c")], {
        cwd: objects,
        env: { ...cleanEnv(), ...env },
      });
      return readFile(join(objects, "kernel/one.o"));
    },
    stats: async () => {
      const env = { ...cleanEnv(), CCACHE_DIR: join(cache, "ccache/objects") };
      const { stdout } = await execFileAsync("ccache", ["--print-stats"], { env });
      return Object.fromEntries(
        stdout.split("\n").map((line) => [line.split("\t")[0] ?? "", Number(line.split("\t")[1])]),
      );
    },
  };
}

test("ccache gives the very bytes of the compiler, in any build directory", async () => {
  const { compile, stats } = await machine("x86_64-0000");
  const plain = await compile({ ccache: false });
  expect(await compile({})).toEqual(plain);
  expect(await stats()).toMatchObject({ cache_miss: 1 });
  expect(await compile({})).toEqual(plain);
  expect(await stats()).toMatchObject({ direct_cache_hit: 1 });
  // Nothing of this place is in them.
  expect(plain.includes("/kernel-test-")).toBe(false);
  const elsewhere = await machine("somewhere-else");
  expect(await elsewhere.compile({ ccache: false })).toEqual(plain);
});

test("machines meet in a Redis, which must answer", async () => {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  await expect(
    compileHelp(PLAN, { cacheDir: await scratchDirectory(), remoteCache: url }),
  ).rejects.toMatchObject({
    code: "KERNEL_FARM",
    message: expect.stringMatching(
      /^The remote cache "redis:.*" does not answer: connect ECONNREFUSED/,
    ) as string,
  });
  // Debian's redis-tools has the server under another name.
  const server = ["--port", String(port), "--bind", "127.0.0.1", "--save", ""];
  daemon("/usr/bin/redis-check-rdb", server, { argv0: "redis-server" });
  await eventually(() => checkRemoteCache(url, undefined));
  const [one, other] = [await machine("one"), await machine("other")];
  const plain = await one.compile({ remoteCache: url });
  expect(await other.compile({ remoteCache: url })).toEqual(plain);
  expect(await other.stats()).toMatchObject({ remote_storage_hit: 1, cache_miss: 0 });
});

test("a web server's answer is enough, whatever it is; other addresses are none", async () => {
  const server = createServer((_, response) => void response.writeHead(404).end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await checkRemoteCache(`http://127.0.0.1:${port}/cache`, undefined);
  server.close();
  for (const url of ["ftp://a/b", "a:6379", "redis://"]) {
    await expect(checkRemoteCache(url, undefined), url).rejects.toMatchObject({
      code: "KERNEL_FARM",
      hint: "It is redis://HOST[:PORT] or http://HOST[:PORT]/PATH",
    });
  }
});

function distccd(port: number, path?: string): void {
  const args = [
    "--daemon",
    "--no-detach",
    "--port",
    String(port),
    "--listen",
    "127.0.0.1",
    "--allow",
    "127.0.0.1",
  ];
  const env = { ...process.env, ...(path === undefined ? {} : { PATH: path }) };
  daemon("distccd", [...args, "--log-stderr", "--jobs", "2", "--enable-tcp-insecure"], { env });
}

test("distcc's machines must answer, and have the same compiler", { timeout: 30_000 }, async () => {
  const cacheDir = await scratchDirectory();
  const [port, wrong, dead] = [await freePort(), await freePort(), await freePort()];
  distccd(port);
  await eventually(() => compileHelp(PLAN, { cacheDir, distcc: [`127.0.0.1:${port}/6`], ccache: false }));
  const { env, jobs } = await compileHelp(PLAN, { cacheDir, distcc: [`127.0.0.1:${port}/6`] });
  expect(env["DISTCC_HOSTS"]).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port}/6 localhost/\\d+$`));
  expect(env["CCACHE_PREFIX"]).toMatch(/\/distcc$/);
  expect(jobs).toBeGreaterThan(6);
  // The compiler has the name that it has without, which is in a kernel's configuration.
  const uncached = await compileHelp(PLAN, { cacheDir, distcc: [`127.0.0.1:${port}`], ccache: false });
  const version = async (more: NodeJS.ProcessEnv): Promise<string> =>
    (await promisify(execFile)("gcc", ["--version"], { env: { ...process.env, ...more } })).stdout;
  expect(await version(uncached.env)).toBe(await version({}));
  await expect(compileHelp(PLAN, { cacheDir, distcc: [`127.0.0.1:${dead}`] })).rejects.toMatchObject({
    code: "KERNEL_FARM",
    message: expect.stringContaining(`"127.0.0.1:${dead}" does not compile by distcc: `) as string,
  });
  // A machine on which gcc is another one.
  const bin = await scratchDirectory();
  await symlink("/usr/bin/clang", join(bin, "gcc"));
  await chmod(bin, 0o755);
  distccd(wrong, `${bin}:${process.env["PATH"]}`);
  await eventually(() =>
    expect(compileHelp(PLAN, { cacheDir, distcc: [`127.0.0.1:${wrong}`] })).rejects.toMatchObject({
      code: "KERNEL_FARM",
      message: expect.stringMatching(
        /has another compiler than this machine: .*clang.*, here GCC: /,
      ) as string,
    }),
  );
  await expect(compileHelp(PLAN, { cacheDir, distcc: ["a b"] })).rejects.toMatchObject({
    code: "KERNEL_FARM",
  });
  await expect(compileHelp(PLAN, { cacheDir, distcc: ["a"], icecream: true })).rejects.toThrow("not both");
});
