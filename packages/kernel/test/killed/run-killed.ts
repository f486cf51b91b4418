/**
 * Kills a build with SIGKILL at random moments of all its phases, from the download to the cache, and looks after each
 * whether anything in the cache is wrong; the next run goes on. In the end the kernel is the one of a build that nobody
 * disturbed. Takes about four times as long as that.
 *
 *     node packages/kernel/test/killed/run-killed.ts [--moments 30] [--seed N]
 */
import { spawn } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { buildKernel, fetchSource, resolveSource } from "../../src/index.ts";
import type { KernelProgress } from "../../src/index.ts";
import { readArtifacts } from "../../src/artifacts.ts";
import { aptDownload, aptPackage } from "../../src/internal/apt.ts";
import { compareDirectories } from "../../src/internal/compare-directories.ts";
import { sha256File } from "../../src/internal/download.ts";
import { runOrThrow } from "../../src/internal/process.ts";

const { values } = parseArgs({ options: { moments: { type: "string" }, seed: { type: "string" } } });
const MOMENTS = Number(values.moments ?? 30);
let state = Number(values.seed ?? Date.now() % 1_000_000);
const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
console.log(`seed ${state}, ${MOMENTS} moments`);

const KERNEL = {
  features: ["base", "serial", "modules"],
  config: { DUMMY: "m", NET: "y", NETDEVICES: "y", NET_CORE: "y" },
};
const PHASES = ["download", "unpack", "configure", "compile", "compile", "compile", "install"] as const;

const scratch = await mkdtemp(join(tmpdir(), "kernel-killed-"));
try {
  const debian = { kind: "debian", series: "6.12" } as const;
  const wanted = await buildKernel({ ...KERNEL, source: debian });
  const reference = await fetchSource(await resolveSource(debian));

  // The very tree, as kernel.org would have it.
  const tarball = join(scratch, "linux-6.12.999.tar.xz");
  const deb = await aptDownload((await aptPackage("linux-source-6.12", {}))!, {});
  const out = `dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/src/linux-source-6.12.tar.xz > "$2"`;
  await runOrThrow({ file: "sh", args: ["-c", out, "sh", deb, tarball] }, { what: "unpack the tarball" });
  const sums = `${await sha256File(tarball)}  linux-6.12.999.tar.xz\n`;
  const size = (await stat(tarball)).size;
  const server = createServer((request, response) => {
    if (request.url !== "/v6.x/linux-6.12.999.tar.xz") {
      response.end(sums);
      return;
    }
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const range = start > 0 ? { "content-range": `bytes ${start}-${size - 1}/${size}` } : {};
    response.writeHead(start > 0 ? 206 : 200, { "content-length": size - start, etag: '"one"', ...range });
    createReadStream(tarball, { start }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const source = { kind: "kernel.org", version: "6.12.999", mirror } as const;
  const cacheDir = join(scratch, "cache");
  const cache = join(cacheDir, "kernel");

  const script = `import { buildKernel } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)};
    await buildKernel({ ...${JSON.stringify({ ...KERNEL, source, cacheDir })},
      onProgress: (event) => console.log(JSON.stringify(event)) });`;
  /** Runs the build until some time after a phase began, or to its end. */
  const build = async (until?: { phase: string; milliseconds: number }): Promise<string> => {
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    let phase = "start";
    let killer: Promise<void> | undefined;
    for await (const line of createInterface(child.stdout)) {
      ({ phase } = JSON.parse(line) as KernelProgress);
      if (phase !== until?.phase || killer !== undefined) continue;
      killer = sleep(until.milliseconds).then(() => void child.kill("SIGKILL"));
    }
    const status = await exited;
    await killer;
    return child.signalCode === null ? `ended with ${status}` : `killed in ${phase}`;
  };
  // What a killed build had started, a tar above all, writes on until it finds nobody at its pipe.
  const remove = (path: string): Promise<void> =>
    rm(path, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 });
  const names = async (kind: string): Promise<string[]> =>
    (await readdir(join(cache, kind)).catch(() => [])).filter(
      (name) => !name.startsWith(".") && !/\.(lock|json)/.test(name),
    );
  /** Whatever has its final name must be whole. */
  const look = async (deep: boolean): Promise<void> => {
    for (const name of await names("sources")) {
      if (!deep) continue;
      const compared = await compareDirectories(reference, join(cache, "sources", name));
      if (compared.differing.length > 0)
        throw new Error(`sources/${name}: ${compared.differing[0]} is wrong`);
    }
    for (const name of await names("artifacts")) {
      const only = (path: string): boolean => !/^(manifest|build)\.json$/.test(path);
      const compared = await compareDirectories(wanted.directory, join(cache, "artifacts", name), { only });
      if (compared.differing.length > 0)
        throw new Error(`artifacts/${name}: ${compared.differing.join(", ")}`);
      if ((await readArtifacts(join(cache, "artifacts", name), true)) === undefined)
        throw new Error("no manifest");
    }
  };

  /** A build goes through a phase only when there is something to do in it. */
  const prepare = async (phase: (typeof PHASES)[number]): Promise<void> => {
    if (phase === "download" || phase === "unpack") await remove(cacheDir);
    if (phase === "configure") {
      for (const kind of ["configs", "answers"]) await remove(join(cache, kind));
    }
    if ((await names("artifacts")).length === 0) return;
    await remove(join(cache, "artifacts"));
    if (phase === "compile") await remove(join(cache, "objects"));
  };

  const seen = new Map<string, number>();
  // Milliseconds: guesses, shortened whenever a build ends before its moment, which is no kill then.
  const spans = { download: 700, unpack: 25_000, configure: 6000, compile: 60_000, install: 1500 };
  let builds = 0;
  for (let kills = 0; kills < MOMENTS;) {
    const phase = PHASES[Math.floor((kills / MOMENTS) * PHASES.length)] ?? "install";
    if (builds++ > 4 * MOMENTS) throw new Error(`Of ${builds} builds only ${kills} could be killed`);
    await prepare(phase);
    const milliseconds = Math.floor(random() * spans[phase]);
    const end = await build({ phase, milliseconds });
    await look(phase === "download" || phase === "unpack");
    if (end === "ended with 0") {
      spans[phase] /= 2;
      continue;
    }
    if (!end.startsWith("killed")) throw new Error(`A build ${end}`);
    kills += 1;
    seen.set(end, (seen.get(end) ?? 0) + 1);
    console.log(`${kills}: ${phase} + ${milliseconds} ms: ${end}`);
  }
  const end = await build();
  await look(true);
  const [id = ""] = await names("artifacts");
  const kernel = await readArtifacts(join(cache, "artifacts", id), true);
  if (end !== "ended with 0" || kernel?.sha256 !== wanted.sha256)
    throw new Error(`${end}, ${kernel?.sha256}`);
  const again = await buildKernel({ ...KERNEL, source, cacheDir });
  if (!again.fromCache) throw new Error("It was not in the cache");
  server.close();
  for (const [how, count] of seen) console.log(`${count} times ${how}`);
  console.log(
    `${MOMENTS} kills in ${builds} builds, no wrong entry; the kernel is the same, ${wanted.sha256}`,
  );
} finally {
  await rm(scratch, { recursive: true, force: true });
}
