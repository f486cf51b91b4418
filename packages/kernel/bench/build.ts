/**
 * What a kernel costs again: CPU seconds of a build from nothing, of the same once more, of one with another option in the
 * kept build directory, and of one with an empty build directory and a ccache that knows it all. Bytes are compared.
 *
 *     node packages/kernel/bench/build.ts
 *
 * Takes three times as long as a build.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildKernel, exportArtifacts, fetchSource, kernelCacheDir, resolveSource } from "../src/index.ts";
import type { BuildOptions, KernelArtifacts } from "../src/index.ts";
import { compareDirectories } from "../src/internal/compare-directories.ts";
import { childSeconds } from "../src/internal/child-time.ts";
import { ownCache } from "../test/support/own-cache.ts";

const source = { kind: "debian", series: "6.12" } as const;
await fetchSource(await resolveSource(source));
const scratch = await mkdtemp(join(tmpdir(), "kernel-bench-"));
const cacheDir = await ownCache(join(scratch, "cache"));
const cache = kernelCacheDir({ cacheDir });

const plain: BuildOptions = { source, cacheDir, ccache: false };
const flipped: BuildOptions = { ...plain, config: { CRC16: "y", MAGIC_SYSRQ: "y" } };
let first = 0;

async function measure(what: string, options: BuildOptions): Promise<KernelArtifacts> {
  const [before, start] = [childSeconds(), performance.now()];
  const kernel = await buildKernel(options);
  const [cpu, wall] = [childSeconds() - before, (performance.now() - start) / 1000];
  first ||= cpu;
  const share = ((100 * cpu) / first).toFixed(1);
  console.log(
    `${what.padEnd(52)} ${cpu.toFixed(1).padStart(7)} CPU s ${wall.toFixed(1).padStart(7)} s ${share.padStart(6)} %`,
  );
  return kernel;
}

const drop = (...names: string[]): Promise<unknown> =>
  Promise.all(names.map((name) => rm(join(cache, name), { recursive: true, force: true })));

try {
  await measure("from nothing, without ccache", plain);
  await measure("the same again", plain);
  const incremental = await measure("two options flipped, in the kept build directory", flipped);
  const kept = join(scratch, "incremental");
  await exportArtifacts(incremental, kept);
  await drop("objects", "artifacts");
  await measure("the same from nothing, filling a ccache", { ...flipped, ccache: true });
  await drop("objects", "artifacts");
  const warm = await measure("the same with an empty build directory, warm ccache", {
    ...flipped,
    ccache: true,
  });
  const only = (path: string): boolean => path !== "build.json";
  const { differing, files } = await compareDirectories(kept, warm.directory, { only });
  console.log(
    differing.length === 0 ? `${files} files are the same` : `these differ: ${differing.join(", ")}`,
  );
  console.log(`${(await readFile(warm.image)).length} bytes, ${warm.sha256}`);
} finally {
  await rm(scratch, { recursive: true, force: true });
}
