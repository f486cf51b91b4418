import { spawnSync } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { ElfSource } from "../src/index.ts";

/** Counts what is read, so that tests can hold the package to "small reads". */
export interface FileSource extends ElfSource, Disposable {
  readonly stats: { reads: number; bytes: number };
}

export function fileSource(path: string): FileSource {
  const fd = openSync(path, "r");
  const stats = { reads: 0, bytes: 0 };
  return {
    size: fstatSync(fd).size,
    stats,
    read(offset, length) {
      const bytes = new Uint8Array(length);
      stats.reads++;
      stats.bytes += length;
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** All ELF files under some directories, sorted. Symlinks are not followed: /usr/bin/X11 is a loop. */
export function elfFilesIn(directories: readonly string[]): string[] {
  const walk = (directory: string): string[] =>
    readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      const path = join(directory, entry.name);
      return entry.isDirectory() ? walk(path) : entry.isFile() && startsLikeElf(path) ? [path] : [];
    });
  return directories
    .filter((directory) => existsSync(directory))
    .flatMap(walk)
    .sort();
}

function startsLikeElf(path: string): boolean {
  const fd = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4);
    return readSync(fd, bytes, 0, 4, 0) === 4 && bytes.toString("latin1") === "\u007fELF";
  } finally {
    closeSync(fd);
  }
}

export interface ReadelfFacts {
  readonly class: string;
  readonly data: string;
  readonly osAbi: string;
  readonly abiVersion: number;
  readonly type: string;
  readonly machine: string;
  readonly entry: bigint;
  readonly flags: number;
  readonly segments: number;
  readonly sections: number;
  readonly interpreter: string | undefined;
  readonly needed: readonly string[];
  readonly soname: string | undefined;
  readonly rpath: string | undefined;
  readonly runpath: string | undefined;
  readonly buildId: string | undefined;
  readonly pie: boolean;
}

/** What `readelf` of binutils says about files. */
export function readelf(paths: readonly string[]): Map<string, ReadelfFacts> {
  return runReadelf(paths, ["-h", "-l", "-d", "-n"], parseReadelf);
}

/** `library version` of each needed version, weak ones with a `?`. Slow: readelf lists all symbols' versions. */
export function readelfVersions(paths: readonly string[]): Map<string, string[]> {
  return runReadelf(paths, ["-V"], parseVersionNeeds);
}

function runReadelf<T>(
  paths: readonly string[],
  flags: readonly string[],
  parse: (text: string) => T,
): Map<string, T> {
  const facts = new Map<string, T>();
  for (let start = 0; start < paths.length; start += 200) {
    // With one file alone, readelf would not print its name.
    const files = [...paths.slice(start, start + 200), "/dev/null"];
    const { stdout } = spawnSync("readelf", ["-W", ...flags, ...files], {
      env: { ...process.env, LC_ALL: "C.UTF-8" },
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    for (const part of stdout.split(/^\nFile: /mu).slice(1)) {
      facts.set(part.slice(0, part.indexOf("\n")), parse(part));
    }
  }
  return facts;
}

function parseReadelf(text: string): ReadelfFacts {
  const one = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const field = (name: string): string => one(new RegExp(`^  ${name}: +(.*)$`, "mu")) ?? "";
  return {
    class: field("Class"),
    data: field("Data"),
    osAbi: field("OS/ABI"),
    abiVersion: Number(field("ABI Version")),
    type: field("Type"),
    machine: field("Machine"),
    entry: BigInt(field("Entry point address")),
    flags: Number.parseInt(field("Flags"), 16),
    segments: Number(field("Number of program headers")),
    sections: Number.parseInt(field("Number of section headers"), 10),
    interpreter: one(/\[Requesting program interpreter: (.*)\]$/mu),
    needed: [...text.matchAll(/\(NEEDED\) +Shared library: \[(.*)\]$/gmu)].map((match) => match[1] as string),
    soname: one(/\(SONAME\) +Library soname: \[(.*)\]$/mu),
    rpath: one(/\(RPATH\) +Library rpath: \[(.*)\]$/mu),
    runpath: one(/\(RUNPATH\) +Library runpath: \[(.*)\]$/mu),
    buildId: one(/\bBuild ID: ([0-9a-f]+)$/mu),
    pie: /\(FLAGS_1\).*\bPIE\b/u.test(text),
  };
}

function parseVersionNeeds(text: string): string[] {
  const versions: string[] = [];
  let library = "";
  const section = /^Version needs section .*\n((?: .*\n)*)/mu.exec(text)?.[1] ?? "";
  for (const line of section.split("\n")) {
    library = /Version: \d+ +File: (.*?) +Cnt: \d+$/u.exec(line)?.[1] ?? library;
    const [, name, flags] = /Name: (\S+) +Flags: (.*?) +Version: /u.exec(line) ?? [];
    if (name !== undefined) versions.push(`${library} ${name}${flags?.includes("WEAK") ? "?" : ""}`);
  }
  return versions;
}
