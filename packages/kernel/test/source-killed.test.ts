import { execFile, spawn } from "node:child_process";
import { appendFile, cp, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { fetchSource, resolveSource } from "../src/index.ts";
import type { KernelSource } from "../src/index.ts";
import { sha256File } from "../src/internal/download.ts";
import { startMirror } from "./support/mirror.ts";
import { digestOf, git, names, realTree, scratchDirectory } from "./support/real-source.ts";

const execFileAsync = promisify(execFile);
// Each takes seconds; KILL_MOMENTS asks for more of them.
const MOMENTS = Number(process.env["KILL_MOMENTS"] ?? 8);
const SEED = Number(process.env["SEED"] ?? 261_126);
let scratch: string;
let sources: Record<"kernel.org" | "git", KernelSource>;
let wanted: string;

// Some hundred files of the real tree, so that each step takes its time.
beforeAll(async () => {
  scratch = await scratchDirectory();
  const real = await realTree();
  const clone = join(scratch, "linux-6.12.59");
  await execFileAsync("mkdir", [clone]);
  const parts = [
    "Makefile",
    "Kbuild",
    "Kconfig",
    "scripts",
    "init",
    "lib",
    "mm",
    "Documentation/admin-guide",
  ];
  await execFileAsync("cp", ["-a", "--parents", ...parts, clone], { cwd: real });
  const tarball = join(scratch, "linux.tar");
  await execFileAsync("tar", ["-cf", tarball, "-C", scratch, "linux-6.12.59"]);
  await git(clone, "init", "-q");
  await git(clone, "add", "-A", "-f");
  await git(clone, "commit", "-q", "-m", "base");
  await appendFile(join(clone, "Kbuild"), "# one\n");
  await git(clone, "commit", "-q", "-a", "-m", "one");
  const series = join(scratch, "series");
  await git(clone, "format-patch", "-q", "-o", series, "HEAD~1");
  const mirror = await startMirror({
    "/pub/v6.x/linux-6.12.59.tar.xz": { path: tarball },
    "/pub/v6.x/sha256sums.asc": `${await sha256File(tarball)}  linux-6.12.59.tar.xz\n`,
  });
  const bare = join(scratch, "linux.git");
  await git(clone, "gc", "-q");
  await git(scratch, "clone", "-q", "--bare", clone, bare);
  await git(bare, "tag", "base", "HEAD~1");
  sources = {
    "kernel.org": { kind: "kernel.org", version: "6.12.59", mirror: mirror.url, patches: [series] },
    git: { kind: "git", url: `file://${bare}`, ref: "base", patches: [series] },
  };
  const plain = join(scratch, "wanted");
  await cp(clone, plain, {
    recursive: true,
    filter: (path) => path !== join(clone, ".git"),
    verbatimSymlinks: true,
  });
  wanted = await digestOf(plain);
}, 120_000);

function start(source: KernelSource, cacheDir: string): { kill: () => void; ended: Promise<void> } {
  const module = new URL("../src/index.ts", import.meta.url).href;
  const script = `import { fetchSource, resolveSource } from ${JSON.stringify(module)};
    const context = { cacheDir: ${JSON.stringify(cacheDir)} };
    await fetchSource(await resolveSource(${JSON.stringify(source)}, context), context);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return { kill: () => void child.kill("SIGKILL"), ended };
}

test.each(["kernel.org", "git"] as const)(
  `killed at any moment, the next run of %s completes, and no half tree is ever seen (SEED=${SEED})`,
  { timeout: 300_000 },
  async (kind) => {
    const source = sources[kind];
    const began = Date.now();
    await start(source, join(scratch, `whole-${kind}`)).ended;
    const whole = Date.now() - began;
    let state = SEED;
    let halfway = 0;
    const moments = MOMENTS / 2;
    // On a busy host none may have been in the middle of it: then some more.
    for (let moment = 0; moment < moments || (halfway === 0 && moment < 10 * moments); moment++) {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      // Not all in one step: the whole time is divided, and chance decides within each part.
      const part = ((moment % moments) + state / 2_147_483_648) / moments;
      const after = part * whole * 0.9 + whole * 0.1;
      const cacheDir = join(scratch, `killed-${kind}-${moment}`);
      const run = start(source, cacheDir);
      await sleep(after);
      run.kill();
      await run.ended;
      const directory = join(cacheDir, "kernel/sources");
      const seen = (await names(directory)).filter((name) => /^[^.].*\+[0-9a-f]{16}$/.test(name));
      for (const name of seen)
        expect(await digestOf(join(directory, name)), `after ${after} ms`).toBe(wanted);
      const at = [...(await names(directory)), ...(await names(join(cacheDir, "kernel/downloads")))];
      if (at.some((name) => /^\.|\.part|\.lock/.test(name))) halfway++;
      const resolved = await resolveSource(source, { cacheDir });
      const tree = await fetchSource(resolved, { cacheDir });
      expect(await digestOf(tree), `${kind}, after ${after} ms`).toBe(wanted);
      const left = (await names(directory)).filter((name) => name.startsWith(".") || name.includes(".lock"));
      expect(left, `${kind}, after ${after} ms of ${whole}`).toEqual([]);
      expect(
        (await names(join(cacheDir, "kernel/downloads"))).filter((name) => name.includes(".part")),
      ).toEqual([]);
      await execFileAsync("rm", ["-rf", cacheDir]);
    }
    expect(halfway, "some were in the middle of it").toBeGreaterThan(0);
  },
);

test("what was killed between its tree and the end of its work leaves no lock, and its note is written", async () => {
  const source = sources["kernel.org"];
  const cacheDir = join(scratch, "late");
  const tree = await fetchSource(await resolveSource(source, { cacheDir }), { cacheDir });
  const note = await readFile(`${tree}.json`);
  await execFileAsync("rm", [`${tree}.json`]);
  await writeFile(`${tree}.lock`, JSON.stringify({ pid: 1, started: "0", nonce: "0".repeat(16) }));
  expect(await fetchSource(await resolveSource(source, { cacheDir }), { cacheDir })).toBe(tree);
  expect(await readFile(`${tree}.json`)).toEqual(note);
  expect(await names(join(cacheDir, "kernel/sources"))).not.toContain(`${basename(tree)}.lock`);
}, 60_000);

test("a wrong note, an empty list and a cut download in the cache are no obstacle", async () => {
  const source = sources["kernel.org"];
  const cacheDir = join(scratch, "damaged");
  await fetchSource(await resolveSource(source, { cacheDir }), { cacheDir });
  const releases = join(cacheDir, "kernel/releases");
  for (const name of await names(releases)) await writeFile(join(releases, name), "");
  const sourcesDirectory = join(cacheDir, "kernel/sources");
  await execFileAsync("rm", ["-rf", sourcesDirectory]);
  const downloads = join(cacheDir, "kernel/downloads");
  const [file = ""] = await names(downloads);
  const bytes = await readFile(join(downloads, file));
  await execFileAsync("rm", [join(downloads, file)]);
  await writeFile(join(downloads, `${file}.part`), bytes.subarray(0, 1000));
  await writeFile(join(downloads, `${file}.part.json`), "{");
  expect(await digestOf(await fetchSource(await resolveSource(source, { cacheDir }), { cacheDir }))).toBe(
    wanted,
  );
}, 60_000);
