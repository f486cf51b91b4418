/**
 * Builds a kernel with two machines that run distccd and one ccache that machines share, in network namespaces of this one:
 *
 *     node packages/kernel/test/farm/run-farm.ts      (as root)
 *
 * 1. A build with two distccd, one of which is killed in the middle, gives the bytes of a build without.
 * 2. A build with both spreads its compiles over them: how many is counted in their logs.
 * 3. Another machine, with an empty cache of its own, takes what it compiles from the first one's Redis.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildKernel, fetchSource, kernelCacheDir, resolveSource } from "../../src/index.ts";
import type { BuildOptions } from "../../src/index.ts";
import { childSeconds } from "../../src/internal/child-time.ts";
import { ownCache } from "../support/own-cache.ts";

const source = { kind: "debian", series: "6.12" } as const;
const KERNEL = { source, features: ["base", "serial"] };
await fetchSource(await resolveSource(source));
const scratch = await mkdtemp(join(tmpdir(), "kernel-farm-"));
await chmod(scratch, 0o755);
const ip = (...args: string[]): void => void execFileSync("ip", args, { stdio: "inherit" });
const spaces = ["farm1", "farm2", "farm3"].map((name, index) => ({
  name: `${name}-${process.pid}`,
  address: `10.93.0.${index + 2}`,
}));
const bridge = `farm${process.pid % 10_000}`;
const children: ReturnType<typeof spawn>[] = [];

function start(space: string, file: string, args: readonly string[], argv0 = file): ReturnType<typeof spawn> {
  const child = spawn(
    "ip",
    ["netns", "exec", space, "bash", "-c", 'exec -a "$0" "$@"', argv0, file, ...args],
    {
      stdio: "ignore",
      detached: true,
    },
  );
  children.push(child);
  return child;
}

function stop(child: ReturnType<typeof spawn>): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function build(what: string, cacheDir: string, options: Partial<BuildOptions>): Promise<string> {
  const [before, began] = [childSeconds(), Date.now()];
  const kernel = await buildKernel({ ...KERNEL, cacheDir, ccache: false, ...options });
  const seconds = `${((Date.now() - began) / 1000).toFixed(0)} s, ${(childSeconds() - before).toFixed(0)} CPU s here`;
  console.log(`${what}: ${seconds}, ${kernel.sha256.slice(0, 16)}`);
  return kernel.sha256;
}

async function compiled(log: string): Promise<number> {
  return ((await readFile(log, "utf8")).match(/ COMPILE_OK /g) ?? []).length;
}

try {
  ip("link", "add", bridge, "type", "bridge");
  ip("addr", "add", "10.93.0.1/24", "dev", bridge);
  ip("link", "set", bridge, "up");
  const logs: string[] = [];
  const daemons: ReturnType<typeof spawn>[] = [];
  for (const [index, { name, address }] of spaces.entries()) {
    const veth = `v${index}-${process.pid % 10_000}`;
    ip("netns", "add", name);
    ip("link", "add", veth, "type", "veth", "peer", "name", "eth0", "netns", name);
    ip("link", "set", veth, "master", bridge, "up");
    ip("-n", name, "addr", "add", `${address}/24`, "dev", "eth0");
    ip("-n", name, "link", "set", "eth0", "up");
    ip("-n", name, "link", "set", "lo", "up");
    if (index === 2) continue;
    const log = join(scratch, `distccd-${index}.log`);
    await writeFile(log, "");
    await chmod(log, 0o666);
    logs.push(log);
    const args = [
      "--daemon",
      "--no-detach",
      "--listen",
      address,
      "--allow",
      "10.93.0.0/24",
      "--jobs",
      "4",
      "--log-file",
      log,
    ];
    daemons.push(start(name, "distccd", [...args, "--enable-tcp-insecure"]));
  }
  await sleep(1000);
  const hosts = spaces.slice(0, 2).map(({ address }) => `${address}/4`);

  const plain = await build("alone", await ownCache(join(scratch, "alone")), {});
  const spread = await ownCache(join(scratch, "spread"));
  const together = await build("with two distccd", spread, { distcc: hosts });
  const counts = await Promise.all(logs.map(compiled));
  const all = JSON.parse(
    await readFile(
      join((await buildKernel({ ...KERNEL, cacheDir: spread })).directory, "build.json"),
      "utf8",
    ),
  ) as { objects: number };
  const share = (100 * counts.reduce((sum, count) => sum + count, 0)) / all.objects;
  console.log(
    `they compiled ${counts.join(" + ")}, ${share.toFixed(0)} % of the kernel's ${all.objects} objects`,
  );

  const half = await ownCache(join(scratch, "half"));
  const progress: BuildOptions["onProgress"] = ({ phase, done, total }) => {
    if (phase === "compile" && total !== undefined && done > total / 3) stop(daemons[0]!);
  };
  const survived = await build("with one killed in the middle", half, {
    distcc: hosts,
    onProgress: progress,
  });

  start(
    spaces[2]!.name,
    "/usr/bin/redis-check-rdb",
    ["--bind", spaces[2]!.address, "--protected-mode", "no", "--save", ""],
    "redis-server",
  );
  await sleep(1000);
  const remoteCache = `redis://${spaces[2]!.address}`;
  const one = await build("filling the shared ccache", await ownCache(join(scratch, "one")), {
    ccache: true,
    remoteCache,
  });
  const other = await ownCache(join(scratch, "elsewhere/other"));
  const two = await build("another machine with that", other, { ccache: true, remoteCache });
  const stats = execFileSync("ccache", ["--print-stats"], {
    env: { ...process.env, CCACHE_DIR: join(kernelCacheDir({ cacheDir: other }), "ccache/objects") },
    encoding: "utf8",
  });
  const stat = (name: string): number => Number(new RegExp(`^${name}\\t(\\d+)`, "m").exec(stats)?.[1] ?? 0);
  const hits = stat("direct_cache_hit") + stat("preprocessed_cache_hit");
  console.log(
    `${hits} hits, ${stat("cache_miss")} misses: ${((100 * hits) / (hits + stat("cache_miss"))).toFixed(1)} %, ${stat("remote_storage_hit")} answers of the server`,
  );
  const same = new Set([plain, together, survived, one, two]).size === 1;
  console.log(same ? `all five have the same bytes, ${plain}` : "their bytes differ");
  if (!same || share < 60) process.exitCode = 1;
} finally {
  for (const child of children) stop(child);
  for (const { name } of spaces) ip("netns", "delete", name);
  ip("link", "delete", bridge);
  await rm(scratch, { recursive: true, force: true });
}
