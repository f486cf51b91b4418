import { execFileSync, spawnSync } from "node:child_process";
import {
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import type { CpioInput, CpioType } from "../src/index.ts";

const SLASH = Buffer.from("/");

/** Joins as bytes: names on a disk need not be UTF-8. */
export function joinBytes(directory: Buffer | string, name: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(directory), SLASH, Buffer.from(name)]);
}

/** Lists names below a directory, parents first, sorted by their bytes, at most so many. */
export function listTree(root: string, most = Infinity): Buffer[] {
  const names: Buffer[] = [];
  const walk = (prefix: Buffer | undefined): void => {
    const directory = prefix === undefined ? Buffer.from(root) : joinBytes(root, prefix);
    for (const name of readdirSync(directory, { encoding: "buffer" }).sort((a, b) => Buffer.compare(a, b))) {
      if (names.length >= most) return;
      const path = prefix === undefined ? name : joinBytes(prefix, name);
      names.push(path);
      if (lstatSync(joinBytes(root, path)).isDirectory()) walk(path);
    }
  };
  walk(undefined);
  return names;
}

const TYPES: Readonly<Record<number, CpioType>> = {
  0o010000: "fifo",
  0o020000: "character",
  0o040000: "directory",
  0o060000: "block",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};

/** Describes files of the disk as entries, hard links among them as links. */
export function inputsFrom(root: string, names: readonly Buffer[]): CpioInput[] {
  const seen = new Map<string, Buffer>();
  return names.map((name): CpioInput => {
    const path = joinBytes(root, name);
    const stat = lstatSync(path);
    const type = TYPES[stat.mode & 0o170000] as CpioType;
    const key = `${stat.dev}:${stat.ino}`;
    const first = seen.get(key);
    if (first !== undefined) return { type: "link", name, linkTo: first };
    if (type !== "directory" && type !== "symlink" && stat.nlink > 1) seen.set(key, name);
    const common = {
      name,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      mtime: Math.floor(stat.mtimeMs / 1000),
    };
    // Linux packs device numbers: the low 8 bits of the minor number, 12 of the major, the rest above.
    const rdev = {
      major: (stat.rdev >>> 8) & 0xfff,
      minor: (stat.rdev & 0xff) | ((stat.rdev >>> 12) & 0xfff00),
    };
    if (type === "file") return { ...common, type, data: readFileSync(path) };
    if (type === "symlink") return { ...common, type, target: readlinkSync(path, { encoding: "buffer" }) };
    if (type === "character" || type === "block") return { ...common, type, rdev };
    return { ...common, type };
  });
}

/** Fills a directory with one of everything, names that are hard to handle included. Needs root for devices. */
export function makeOddTree(root: string): void {
  mkdirSync(`${root}/deep/er/and/deeper`, { recursive: true });
  for (const size of [0, 1, 2, 3, 4, 5, 511, 512, 513, 65_535, 65_536, 300_000]) {
    writeFileSync(`${root}/deep/size-${size}`, Buffer.alloc(size, size % 251));
  }
  mkdirSync(`${root}/names`);
  const bytes = [Buffer.from([0xff, 0xfe, 0x41]), Buffer.from([0xc3]), Buffer.from("l\u00f6we \u96ea")];
  for (const name of [...bytes, "-n", "# no comment", "a b", "tab\there", "new\nline", "x".repeat(255)]) {
    writeFileSync(joinBytes(`${root}/names`, name), String(name));
  }
  mkdirSync(`${root}/links`);
  symlinkSync("../deep/size-1", `${root}/links/relative`);
  symlinkSync("/absolute", `${root}/links/absolute`);
  symlinkSync("y".repeat(4000), `${root}/links/long`);
  writeFileSync(`${root}/links/first`, "linked\n");
  linkSync(`${root}/links/first`, `${root}/links/second`);
  linkSync(`${root}/links/first`, `${root}/deep/third`);
  writeFileSync(`${root}/links/empty-1`, "");
  linkSync(`${root}/links/empty-1`, `${root}/links/empty-2`);
  mkdirSync(`${root}/modes`);
  for (const mode of ["4755", "2755", "1777", "0000", "0600"]) {
    writeFileSync(`${root}/modes/${mode}`, mode);
    execFileSync("chmod", [mode, `${root}/modes/${mode}`]);
  }
  writeFileSync(`${root}/modes/owned`, "");
  execFileSync("chown", ["1234:65534", `${root}/modes/owned`]);
  mkdirSync(`${root}/nodes`);
  execFileSync("mkfifo", [`${root}/nodes/fifo`]);
  execFileSync("mknod", [`${root}/nodes/console`, "c", "5", "1"]);
  execFileSync("mknod", [`${root}/nodes/large`, "b", "511", "1048575"]);
  linkSync(`${root}/nodes/console`, `${root}/nodes/console-too`);
  utimesSync(`${root}/modes/owned`, 1, 1);
  utimesSync(`${root}/deep/size-1`, 4_294_967_295, 4_294_967_295);
}

/** What can be compared of a tree: names, kinds, owners, times, contents, and which names are one file. */
export function describeTree(root: string, names: readonly Buffer[]): string[] {
  const inodes = new Map<number, number>();
  return names.map((name) => {
    const path = joinBytes(root, name);
    const stat = lstatSync(path);
    const first = inodes.get(stat.ino) ?? inodes.size;
    inodes.set(stat.ino, first);
    const content = stat.isFile()
      ? readFileSync(path).toString("base64")
      : stat.isSymbolicLink()
        ? readlinkSync(path, { encoding: "buffer" }).toString("latin1")
        : String(stat.rdev);
    const time = stat.isDirectory() || stat.isSymbolicLink() ? "" : Math.floor(stat.mtimeMs / 1000);
    return [name.toString("latin1"), stat.mode.toString(8), stat.uid, stat.gid, time, first, content].join(
      " ",
    );
  });
}

/** Runs GNU cpio; its answer on standard output. What it says on standard error fails the test. */
export function gnuCpio(args: readonly string[], options: { cwd?: string; input?: Uint8Array }): Buffer {
  const { status, stdout, stderr } = spawnSync("cpio", ["--quiet", ...args], {
    ...options,
    env: { ...process.env, LC_ALL: "C.UTF-8", TZ: "UTC" },
    maxBuffer: 1 << 30,
  });
  if (status !== 0 || stderr.length > 0) throw new Error(`cpio ${args.join(" ")}: ${stderr.toString()}`);
  return stdout;
}

/** The list of names that `cpio -o -0` reads. */
export function nulList(names: readonly Buffer[]): Buffer {
  return Buffer.concat(names.flatMap((name) => [name, Buffer.of(0)]));
}
