/** Our conf without a process of its own: files of the run in memory, those of the tree from disk. */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ConfHost } from "../../src/conf/conf.ts";
import { globExpression, globFiles } from "../../src/node/glob.ts";

const FOLDER = "/run-in-memory";

export interface MemoryRun extends ConfHost {
  /** Files of the run by their name relative to its directory. */
  readonly files: Map<string, string>;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** Texts of a tree's files, read once. */
export type FileCache = Map<string, string | undefined>;

export function memoryHost(options: {
  readonly env: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>> | undefined;
  readonly input?: string | undefined;
  readonly cache?: FileCache | undefined;
  /** Stands behind the files of the run. */
  readonly tree?: string | undefined;
  /** Answers shell commands. */
  readonly shell?: ((command: string) => string) | undefined;
}): MemoryRun {
  const { env, cache = new Map() } = options;
  const files = new Map(Object.entries(options.files ?? {}));
  let out = "";
  let err = "";
  let rest = options.input ?? "";
  const nameOf = (path: string): string | undefined =>
    path.startsWith(`${FOLDER}/`) ? path.slice(FOLDER.length + 1) : undefined;
  const write = (path: string, text: string): void => {
    const name = nameOf(path);
    if (name === undefined) throw new Error(`"${path}" is not of this run`);
    files.set(name, text);
  };
  return {
    files,
    stdout: () => out,
    stderr: () => err,
    cwd: FOLDER,
    echoes: false,
    getenv: (name) => env[name],
    readFile: (path) => {
      const name = nameOf(path);
      if (name !== undefined && (files.has(name) || options.tree === undefined)) return files.get(name);
      const real = name === undefined ? path : join(options.tree ?? "", name);
      if (!cache.has(real)) cache.set(real, readText(real));
      return cache.get(real);
    },
    glob: (pattern) => {
      const name = nameOf(pattern);
      if (name === undefined) return globFiles(pattern);
      const expression = globExpression(name);
      const own = [...files.keys()].filter((path) => expression.test(path)).sort();
      const { tree } = options;
      const behind = tree === undefined ? [] : globFiles(`${tree}/${name}`);
      return [...own, ...behind.map((path) => path.slice((tree?.length ?? 0) + 1))].map(
        (path) => `${FOLDER}/${path}`,
      );
    },
    shell: options.shell ?? ((command) => shellOutput(command, env)),
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    readLine: () => {
      if (rest === "") return undefined;
      const end = rest.indexOf("\n");
      const line = end < 0 ? rest : rest.slice(0, end + 1);
      rest = rest.slice(line.length);
      return line;
    },
    isDirectory: (path) => path === FOLDER,
    exists: (path) => files.has(nameOf(path) ?? ""),
    makeDirectory: () => {},
    writeFile: (path, text) => write(path, text),
    rename: (from, to) => {
      write(to, files.get(nameOf(from) ?? "") ?? "");
      files.delete(nameOf(from) ?? "");
    },
    touch: (path) => write(path, ""),
    now: () => 0,
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}

function shellOutput(command: string, env: Readonly<Record<string, string>>): string {
  const { stdout } = spawnSync("/bin/sh", ["-c", command], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
  });
  return stdout ?? "";
}

/** Answers shell commands from a directory, running each one once; the reference answers from the same (popen-cache.c). */
export function keptShell(
  directory: string,
  env: Readonly<Record<string, string>>,
): (command: string) => string {
  mkdirSync(directory, { recursive: true });
  const known = new Map<string, string>();
  return (command) => {
    const seen = known.get(command);
    if (seen !== undefined) return seen;
    const path = join(directory, hashOf(command));
    let text =
      statSync(path, { throwIfNoEntry: false }) === undefined ? undefined : readFileSync(path, "latin1");
    if (text === undefined) {
      text = shellOutput(command, env);
      writeFileSync(`${path}.${process.pid}`, text, "latin1");
      renameSync(`${path}.${process.pid}`, path);
    }
    known.set(command, text);
    return text;
  };
}

// FNV-1a, 64 bits.
function hashOf(command: string): string {
  let hash = 14695981039346656037n;
  for (const byte of Buffer.from(command, "latin1"))
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 1099511628211n);
  return hash.toString(16).padStart(16, "0");
}
