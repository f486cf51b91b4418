/** Our conf and the tree's own on the same work, compared byte by byte. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runConf } from "../../src/conf/conf.ts";
import { detectDialect } from "../../src/engine/dialect-signs.ts";
import type { Dialect } from "../../src/engine/dialect.ts";
import type { Architecture } from "./architectures.ts";
import { confEnvironment } from "./architectures.ts";
import { runCConf } from "./c-conf.ts";
import type { CConf } from "./c-conf.ts";
import { answersDirectory } from "./cache.ts";
import type { FileCache } from "./memory-host.ts";
import { keptShell, memoryHost } from "./memory-host.ts";

/** One way of making a configuration. */
export interface ParityCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
}

export const SEEDS = ["1", "0x2a", "20261124"] as const;

/** The cases of an architecture: each defconfig, all*config, tinyconfig and randconfigs. */
export function casesOf(tree: string, architecture: Architecture): readonly ParityCase[] {
  const tiny = ["kernel/configs/tiny-base.config", "kernel/configs/tiny.config"].find((name) =>
    existsSync(join(tree, name)),
  );
  return [
    ...architecture.defconfigs.map((file) => ({ name: file, args: [`--defconfig=${file}`] })),
    ...["allnoconfig", "allyesconfig", "allmodconfig", "alldefconfig"].map((mode) => ({
      name: mode,
      args: [`--${mode}`],
    })),
    { name: "tinyconfig", args: ["--allnoconfig"], env: { KCONFIG_ALLCONFIG: tiny ?? "" } },
    ...SEEDS.map((seed) => ({
      name: `randconfig ${seed}`,
      args: ["--randconfig"],
      env: { KCONFIG_SEED: seed },
    })),
  ];
}

export interface Reference {
  readonly tree: string;
  readonly conf: CConf;
  readonly dialect: Dialect;
  readonly cache: FileCache;
}

export function referenceOf(tree: string, conf: CConf): Reference {
  const cache: FileCache = new Map();
  const dialect = detectDialect((path) => {
    const file = join(tree, path);
    return existsSync(file) ? readFileSync(file, "latin1") : undefined;
  });
  return { tree, conf, dialect, cache };
}

/** What differs between ours and C's, a line each; none when all is the same. */
export function differences(
  reference: Reference,
  architecture: Architecture,
  one: ParityCase,
): readonly string[] {
  const env = { ...confEnvironment(reference.tree, architecture), ...one.env };
  const found: string[] = [];
  // The configuration with all that comes with it, then its minimum, then what a defconfig leaves open.
  const made = bothRun(reference, architecture, one.args, env, {});
  found.push(...compare(one.name, made));
  const config = made.theirs.files[".config"];
  if (config === undefined) return found;
  const saved = bothRun(reference, architecture, ["--savedefconfig=defconfig"], env, { ".config": config });
  found.push(...compare(`${one.name}, savedefconfig`, saved));
  const minimum = saved.theirs.files["defconfig"] ?? "";
  const listed = bothRun(reference, architecture, ["--listnewconfig"], env, { ".config": minimum });
  found.push(...compare(`${one.name}, listnewconfig`, listed));
  return found;
}

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly files: Readonly<Record<string, string>>;
}

export interface Both {
  readonly ours: Run;
  readonly theirs: Run;
}

function bothRun(
  { tree, conf, dialect, cache }: Reference,
  { arch }: Architecture,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
): Both {
  const answers = answersDirectory(tree, arch);
  const host = memoryHost({ env, files, cache, shell: keptShell(answers, env) });
  const status = runConf({ args: [...args, "Kconfig"], dialect, program: conf.program }, host);
  const ours = {
    status,
    stdout: host.stdout(),
    stderr: host.stderr(),
    files: Object.fromEntries(host.files),
  };
  return {
    ours,
    theirs: runInDirectory(conf, [...args, "Kconfig"], env, files, { answers }),
  };
}

/** Runs the reference in a directory of its own and gives what it left there. */
export function runInDirectory(
  conf: CConf,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  options: {
    readonly answers?: string | undefined;
    readonly input?: string | undefined;
    readonly prepare?: ((directory: string) => void) | undefined;
  } = {},
): Run {
  const { answers, input, prepare } = options;
  const cwd = mkdtempSync(join(tmpdir(), "kconfig-parity-"));
  try {
    prepare?.(cwd);
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(cwd, name)), { recursive: true });
      writeFileSync(join(cwd, name), text, "latin1");
    }
    const run = runCConf(conf, args, { cwd, env, answers, input });
    return { ...run, files: Object.fromEntries(filesBelow(cwd)) };
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

// Not those behind links.
function filesBelow(directory: string, prefix = ""): readonly (readonly [string, string])[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return filesBelow(path, `${prefix}${entry.name}/`);
    return entry.isFile() ? [[`${prefix}${entry.name}`, readFileSync(path, "latin1")] as const] : [];
  });
}

/** The first line in which each output differs. */
export function compare(name: string, { ours, theirs }: Both): readonly string[] {
  const found: string[] = [];
  if (ours.status !== theirs.status)
    found.push(`${name}: exit status ${ours.status}, C has ${theirs.status}`);
  const texts: Record<string, readonly [string | undefined, string | undefined]> = {
    "(stdout)": [ours.stdout, theirs.stdout],
    "(stderr)": [ours.stderr, theirs.stderr],
  };
  for (const file of new Set([...Object.keys(ours.files), ...Object.keys(theirs.files)])) {
    texts[file] = [ours.files[file], theirs.files[file]];
  }
  for (const [file, [one, two]] of Object.entries(texts)) {
    if (one === two) continue;
    if (one === undefined || two === undefined) {
      found.push(`${name}: ${file} is ${one === undefined ? "missing" : "too many"}`);
      continue;
    }
    const left = one.split("\n");
    const right = two.split("\n");
    const at = left.findIndex((line, index) => line !== right[index]);
    const line = at < 0 ? left.length : at;
    found.push(
      `${name}: ${file}:${line + 1}: ${JSON.stringify(left[line])}, C has ${JSON.stringify(right[line])}`,
    );
  }
  return found;
}
