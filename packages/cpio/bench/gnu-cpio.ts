// Writing and listing, side by side with GNU cpio, on files of this machine:
//   node bench/gnu-cpio.ts [directory] [rounds]
// Both sides get the same list of names, read the same files from a warm cache and write to the same place. Node's
// start-up is reported apart: our side runs in this process, cpio is a process for each round.
import { execFileSync } from "node:child_process";
import {
  closeSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CpioInput, packCpio, unpackCpio } from "../src/index.ts";

const root = process.argv[2] ?? "/usr/bin";
const rounds = Number(process.argv[3] ?? 5);
const CHUNK = 256 * 1024;

function* list(directory: string): Generator<string> {
  const entries = readdirSync(join(root, directory), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = directory === "" ? entry.name : `${directory}/${entry.name}`;
    if (entry.isDirectory() || entry.isFile() || entry.isSymbolicLink()) yield path;
    if (entry.isDirectory()) yield* list(path);
  }
}

function* readFile(path: string, size: number): Generator<Uint8Array> {
  const fd = openSync(path, "r");
  try {
    for (let left = size; left > 0;) {
      const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK));
      const length = readSync(fd, chunk);
      if (length === 0) return;
      left -= length;
      yield chunk.subarray(0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function* inputs(names: readonly string[]): Generator<CpioInput> {
  for (const name of names) {
    const path = join(root, name);
    const { mode, uid, gid, size, mtimeMs } = lstatSync(path);
    const common = { name, mode, uid, gid, mtime: Math.floor(mtimeMs / 1000) };
    if ((mode & 0o170000) === 0o040000) yield { ...common, type: "directory" };
    else if ((mode & 0o170000) === 0o120000) yield { ...common, type: "symlink", target: readlinkSync(path) };
    else yield { ...common, type: "file", data: { size, open: () => readFile(path, size) } };
  }
}

async function write(names: readonly string[], output: string): Promise<number> {
  const fd = openSync(output, "w");
  let total = 0;
  for await (const chunk of packCpio(inputs(names))) total += writeSync(fd, chunk);
  closeSync(fd);
  return total;
}

async function listArchive(path: string, size: number): Promise<number> {
  let count = 0;
  for await (const entry of unpackCpio(readFile(path, size))) count += entry.name === "" ? 0 : 1;
  return count;
}

const TMPFS = 0x0102_1994;
const base = statfsSync("/dev/shm").type === TMPFS ? "/dev/shm" : tmpdir();
const directory = mkdtempSync(join(base, "cpio-bench-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));

const names = [...list("")];
const input = `${names.join("\0")}\0`;
const [ours, theirs] = [join(directory, "ours"), join(directory, "theirs")];
let size = 0;
const gnu = (...args: string[]): unknown =>
  execFileSync("cpio", ["--quiet", ...args], {
    cwd: root,
    // Listing reads no names, and would leave them in the pipe.
    ...(args[0] === "-o" ? { input } : {}),
    stdio: ["pipe", "ignore", "ignore"],
  });

const actions = {
  "write, this package": async () => (size = await write(names, ours)),
  "write, GNU cpio": () => gnu("-o", "-0", "-H", "newc", "-O", theirs),
  "write, GNU cpio -C 1048576": () => gnu("-o", "-0", "-H", "newc", "-C", "1048576", "-O", theirs),
  "list, this package": async () => {
    const count = await listArchive(ours, size);
    if (count !== names.length) throw new Error(`listed ${count} of ${names.length}`);
  },
  "list, GNU cpio": () => gnu("-t", "-I", ours),
  "start of Node": () => execFileSync(process.execPath, ["-e", "0"]),
};
type Action = keyof typeof actions;

// Rounds are interleaved, so that other load on the machine meets all alike; the first one only warms up.
const times = new Map<Action, number[]>();
for (let round = 0; round <= rounds; round++) {
  for (const [name, action] of Object.entries(actions) as [Action, () => unknown][]) {
    const start = performance.now();
    await action();
    const seconds = (performance.now() - start) / 1000;
    if (round > 0) times.set(name, [...(times.get(name) ?? []), seconds]);
  }
}
const median = (name: Action): number =>
  (times.get(name) ?? []).sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;

console.log(`${root}: ${names.length} entries, ${(size / 1e6).toFixed(1)} MB, median of ${rounds} rounds`);
for (const name of times.keys()) console.log(`${name.padEnd(30)} ${median(name).toFixed(3)} s`);
const ratio = (a: Action, b: Action): string => (median(a) / median(b)).toFixed(2);
console.log(`write ratio to GNU cpio         ${ratio("write, this package", "write, GNU cpio")}`);
console.log(`write ratio to GNU cpio -C 1M   ${ratio("write, this package", "write, GNU cpio -C 1048576")}`);
console.log(`list ratio to GNU cpio          ${ratio("list, this package", "list, GNU cpio")}`);
console.log(`peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`);
