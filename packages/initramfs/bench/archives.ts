/**
 * Archives written and listed, whole processes side by side with GNU cpio, bsdcpio and the kernel's gen_init_cpio: one
 * tree of some 600 MB in large files, one of some 49,000 small ones, from a warm page cache to a tmpfs, uncompressed.
 * All contenders get ready lists of names. Rounds go in turn, the first only warms up; the
 * smallest times, and ratios of them.
 *
 *   pnpm -C packages/cpio build && pnpm -C packages/elf build && pnpm -C packages/initramfs build
 *   node packages/initramfs/bench/archives.ts [--rounds 7] [--large DIR] [--small DIR]
 *
 * The large files are by default from /usr, the small ones a kernel's source that was fetched to be built. It needs
 * time(1), and with strace(1) on the machine it counts system calls too.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { parseArgs } from "node:util";

import { genInitCpio } from "../test/support/gen-init-cpio.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    large: { type: "string", default: "/usr" },
    small: { type: "string", default: kernelSource() },
  },
});
const rounds = Number(values.rounds);
const scratch = mkdtempSync("/dev/shm/archives-");
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));

function kernelSource(): string {
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  const sources = join(cache, "justenough/kernel/sources");
  const found = existsSync(sources)
    ? readdirSync(sources, { withFileTypes: true }).find((entry) => entry.isDirectory())
    : undefined;
  return found === undefined ? "" : join(sources, found.name);
}

interface Tree {
  readonly title: string;
  readonly root: string;
  readonly files: readonly string[];
  readonly bytes: number;
  readonly directories: readonly string[];
}

/** The first files in the order of their names that are of the wanted sizes. */
function takeTree(
  title: string,
  root: string,
  least: number,
  most: number,
  count: number,
  limit: number,
): Tree {
  if (!existsSync(root)) throw new Error(`There is no directory "${root}"; name one with --large or --small`);
  const files: string[] = [];
  let bytes = 0;
  const walk = (directory: string): void => {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) walk(path);
      if (!entry.isFile() || /\s/.test(path) || files.length >= count) continue;
      const { size } = statSync(path);
      if (size < least || size > most || bytes + size > limit) continue;
      files.push(path);
      bytes += size;
    }
  };
  walk(root);
  const directories = new Set<string>();
  for (const file of files) {
    for (let at = dirname(file); at.length > root.length; at = dirname(at)) directories.add(at);
  }
  return { title, root, files, bytes, directories: [...directories].sort() };
}

/** The built packages as they are installed: in the repository they would be read as TypeScript. */
function stage(): string {
  const packages = join(import.meta.dirname, "../..");
  for (const name of ["cpio", "elf", "initramfs"]) {
    const target = join(scratch, "node_modules/@justenough", name);
    mkdirSync(target, { recursive: true });
    cpSync(join(packages, name, "dist"), join(target, "dist"), { recursive: true });
    const manifest = JSON.parse(readFileSync(join(packages, name, "package.json"), "utf8")) as {
      publishConfig: object;
    };
    writeFileSync(join(target, "package.json"), JSON.stringify({ ...manifest, ...manifest.publishConfig }));
  }
  return join(scratch, "node_modules/@justenough/initramfs/dist/cli.js");
}

interface Run {
  readonly seconds: number;
  readonly peak: number;
}

/** Runs a program with files for its input and output; peak memory in MiB comes from the kernel's accounting. */
async function run(command: readonly string[], cwd: string, input: string, output: string): Promise<Run> {
  const report = join(scratch, "time");
  const [stdin, stdout] = [openSync(input, "r"), openSync(output, "w")];
  const start = performance.now();
  const child: ChildProcess = spawn("/usr/bin/time", ["-f", "%M", "-o", report, ...command], {
    cwd,
    stdio: [stdin, stdout, "ignore"],
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const seconds = (performance.now() - start) / 1000;
  closeSync(stdin);
  closeSync(stdout);
  if (code !== 0) throw new Error(`${command.join(" ")} ended with ${code}`);
  return { seconds, peak: Number(readFileSync(report, "utf8").trim().split("\n").at(-1)) / 1024 };
}

const cli = stage();
const gen = genInitCpio(scratch, ["-O2"]);
const ours = [process.execPath, cli];

async function measure(tree: Tree): Promise<void> {
  const list = join(scratch, "list");
  const names = join(scratch, "names");
  const out = (name: string): string => join(scratch, `made-${name}`);
  const paths = [...tree.directories, ...tree.files].sort();
  const isDirectory = new Set(tree.directories);
  const lines = paths.map((path) => {
    const name = relative(tree.root, path);
    return isDirectory.has(path) ? `dir ${name} 0755 0 0\n` : `file ${name} ${path} 0644 0 0\n`;
  });
  writeFileSync(list, lines.join(""));
  writeFileSync(names, paths.map((path) => `${relative(tree.root, path)}\n`).join(""));
  writeFileSync(out("ours"), "");
  const contenders: Readonly<Record<string, () => Promise<Run>>> = {
    "write, ours": () =>
      run([...ours, "gen-init-cpio", "-o", out("ours"), list], tree.root, "/dev/null", "/dev/null"),
    "write, gen_init_cpio": () => run([gen, list], tree.root, "/dev/null", out("gen_init_cpio")),
    "write, GNU cpio": () => run(["cpio", "--quiet", "-o", "-H", "newc"], tree.root, names, out("cpio")),
    "write, bsdcpio": () => run(["bsdcpio", "--quiet", "-o", "-H", "newc"], tree.root, names, out("bsdcpio")),
    "list, ours": () => run([...ours, "list", out("ours")], tree.root, "/dev/null", out("list-ours")),
    "list, GNU cpio": () => run(["cpio", "--quiet", "-t"], tree.root, out("ours"), out("list-gnu")),
    "list, bsdcpio": () => run(["bsdcpio", "--quiet", "-t"], tree.root, out("ours"), out("list-bsd")),
  };
  const times = new Map<string, number[]>();
  const peaks = new Map<string, number>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of Object.entries(contenders)) {
      // To give back the memory of what was written before is nobody's work here.
      if (name.startsWith("write")) rmSync(out(name.split(" ").at(-1) as string), { force: true });
      const { seconds, peak } = await contender();
      if (round > 0) times.set(name, [...(times.get(name) ?? []), seconds]);
      peaks.set(name, Math.max(peaks.get(name) ?? 0, peak));
    }
  }
  const count = (name: string): number => readFileSync(out(name), "utf8").split("\n").length - 1;
  if (count("list-ours") !== paths.length || count("list-gnu") !== paths.length) {
    throw new Error(`Listed ${count("list-ours")} and ${count("list-gnu")} of ${paths.length} entries`);
  }
  console.log(
    `\n${tree.title}: ${tree.files.length} files, ${(tree.bytes / 1e6).toFixed(0)} MB, ${paths.length} entries, smallest of ${rounds} rounds`,
  );
  const at = (name: string): number => Math.min(...(times.get(name) ?? []));
  for (const name of times.keys()) {
    console.log(
      `  ${name.padEnd(22)} ${at(name).toFixed(3)} s  ${(peaks.get(name) ?? 0).toFixed(0).padStart(4)} MiB`,
    );
  }
  const ratio = (what: string, a: string, b: string): void =>
    console.log(`  ${what.padEnd(44)} ${(at(a) / at(b)).toFixed(2)}`);
  ratio("GNU cpio's time to ours, writing", "write, GNU cpio", "write, ours");
  ratio("bsdcpio's time to ours, writing", "write, bsdcpio", "write, ours");
  ratio("our time to gen_init_cpio's, writing", "write, ours", "write, gen_init_cpio");
  ratio("our time to GNU cpio's, listing", "list, ours", "list, GNU cpio");
  ratio("our time to bsdcpio's, listing", "list, ours", "list, bsdcpio");
  countCalls(tree, list);
}

/** Those of the process less those of one that packs nothing. */
function countCalls(tree: Tree, list: string): void {
  if (!existsSync("/usr/bin/strace")) return;
  const report = join(scratch, "strace");
  const empty = join(scratch, "empty");
  writeFileSync(empty, "");
  const calls = (command: readonly string[], input: string): number => {
    const traced = ["-f", "-c", "-e", "trace=%file,%desc", "-o", report, ...command, input];
    execFileSync("strace", traced, { cwd: tree.root, stdio: ["ignore", "ignore", "ignore"] });
    const total = /^100\.00\s+\S+\s+(?:\d+\s+)?(\d+)/m.exec(readFileSync(report, "utf8"))?.[1];
    return Number(total);
  };
  for (const [name, command] of [
    ["ours", [...ours, "gen-init-cpio", "-o", join(scratch, "traced")]],
    ["gen_init_cpio", [gen]],
  ] as const) {
    const each = (calls(command, list) - calls(command, empty)) / tree.files.length;
    console.log(`  system calls on files, for each file, ${name.padEnd(14)} ${each.toFixed(2)}`);
  }
}

await measure(takeTree("large files", values.large, 30_000, 1 << 28, 3000, 600e6));
// Copied, since a source in the cache may share its files with others, and names of one file are work of another kind.
const small = takeTree("small files", values.small, 0, 1 << 16, 46_000, 1e9);
const copy = mkdtempSync(join(tmpdir(), "archives-small-"));
process.on("exit", () => rmSync(copy, { recursive: true, force: true }));
const copied = (path: string): string => join(copy, relative(small.root, path));
for (const path of small.directories) mkdirSync(copied(path), { recursive: true });
for (const path of small.files) copyFileSync(path, copied(path));
await measure({
  ...small,
  root: copy,
  files: small.files.map(copied),
  directories: small.directories.map(copied),
});
