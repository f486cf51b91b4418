/** The reference: a tree's own conf, built from its sources. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { keptDirectory } from "./cache.ts";

export interface CConf {
  readonly program: string;
  /** Makes `$(shell …)` of conf answer from a directory. */
  readonly popenCache: string;
}

const SOURCES = ["conf.c", "confdata.c", "expr.c", "menu.c", "preprocess.c", "symbol.c", "util.c"];

/**
 * Builds the conf of a tree, once for its sources. `tree` has scripts/kconfig. A watched one stops where it reads memory that
 * it has freed, and says "AddressSanitizer".
 */
export function buildConf(tree: string, watched = false): CConf {
  const kconfig = join(tree, "scripts/kconfig");
  const include = join(tree, "scripts/include");
  const inputs = readdirSync(kconfig)
    .filter((name) => /\.[chyl]$/.test(name))
    .sort()
    .map((name) => readFileSync(join(kconfig, name), "latin1"));
  const shim = join(import.meta.dirname, "popen-cache.c");
  const directory = keptDirectory(
    watched ? "conf-watched" : "conf",
    [...inputs, readFileSync(shim, "utf8")],
    (cwd) => {
      const run = (program: string, args: readonly string[]): void =>
        void execFileSync(program, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
      run("bison", ["-o", "parser.tab.c", "--defines=parser.tab.h", "-t", "-l", join(kconfig, "parser.y")]);
      run("flex", ["-olexer.lex.c", "-L", join(kconfig, "lexer.l")]);
      const sanitizer = watched ? ["-g", "-fsanitize=address"] : [];
      const flags = [...sanitizer, "-O2", "-w", `-I${kconfig}`, `-I${include}`, "-I.", "-o", "conf"];
      run("gcc", [...flags, ...SOURCES.map((name) => join(kconfig, name)), "parser.tab.c", "lexer.lex.c"]);
      run("gcc", ["-O2", "-shared", "-fPIC", "-o", "popen-cache.so", shim, "-ldl"]);
    },
  );
  return { program: join(directory, "conf"), popenCache: join(directory, "popen-cache.so") };
}

export interface ConfRun {
  /** Null when it did not end, or did not in time. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the reference in a directory, with exactly the environment that is given. */
export function runCConf(
  conf: CConf,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    readonly input?: string | undefined;
    /** Where answers of shell commands are kept. */
    readonly answers?: string | undefined;
  },
): ConfRun {
  const { cwd, input = "", answers } = options;
  const env = { PATH: process.env["PATH"] ?? "", ...options.env };
  if (answers !== undefined) {
    mkdirSync(answers, { recursive: true });
    Object.assign(env, { KCONFIG_POPEN_CACHE: answers, LD_PRELOAD: conf.popenCache });
  }
  const { status, stdout, stderr, error } = spawnSync(conf.program, args, {
    cwd,
    env,
    input: Buffer.from(input, "latin1"),
    encoding: "latin1",
    maxBuffer: 1 << 28,
    timeout: 60_000,
  });
  // One that was cut short has no status, even where it had come to its end.
  return { status: error === undefined ? status : null, stdout, stderr };
}
