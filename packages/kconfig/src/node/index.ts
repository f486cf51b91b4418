/** The engine on this machine: hosts that read files and run commands. The package's main entry starts no process. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runConfAsync } from "../conf/conf.ts";
import { detectDialect } from "../engine/dialect-signs.ts";
import { setLoaderOf } from "../internal/host-loaders.ts";
import type { TreeHost } from "../tree.ts";
import { quietConfHost } from "./conf-host.ts";
import { firstCommands } from "./first-commands.ts";
import { globFiles } from "./glob.ts";
import { shellAnswers } from "./shell-answers.ts";
import { cachedLoad } from "./tree-cache.ts";

export { systemDecompress } from "./decompress.ts";
export { kernelEnvironment } from "./kernel-environment.ts";
export type { KernelEnvironmentOptions } from "./kernel-environment.ts";

/** Where Kconfig files and answers come from on this machine. */
export interface NodeHostOptions {
  /** The variables that the tree's Makefile gives conf, such as ARCH, SRCARCH and CC. Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /**
   * Keeps the answers of shell commands there, by command, environment and tools, and loaded trees as long as nothing
   * changes that they were made of. Default: not at all.
   */
  readonly answers?: string | undefined;
  /** Where shell commands run. Default: this process's current directory. */
  readonly cwd?: string | undefined;
}

/**
 * A host for loadKconfig() with this machine's files and shell. Dispose it when the tree is loaded.
 *
 * @example
 * ```ts no-run
 * import { loadKconfig } from "@justenough/kconfig";
 * import { nodeHost } from "@justenough/kconfig/node";
 * const srctree = "/usr/src/linux";
 * using host = nodeHost({ env: { ...process.env, ARCH: "x86_64", SRCARCH: "x86", CC: "gcc", LD: "ld" } });
 * const tree = await loadKconfig({ srctree, host });
 * console.log(tree.title, tree.names.length);
 * ```
 */
export function nodeHost(options: NodeHostOptions = {}): TreeHost & Disposable {
  const { env = process.env, answers: directory, cwd } = options;
  const answers = shellAnswers({ env, directory, cwd });
  const host: TreeHost & Disposable = {
    env,
    readFile: (path) => {
      try {
        return readFileSync(path);
      } catch {
        return undefined;
      }
    },
    glob: globFiles,
    shell: answers.answer,
    shellSync: answers.shell,
    [Symbol.dispose]: () => answers[Symbol.dispose](),
  };
  if (directory !== undefined) {
    const kept = { directory: join(directory, "trees"), recall: answers.recall, exists: existsSync };
    setLoaderOf(host, (request) => cachedLoad(request, kept));
  }
  return host;
}

/** A run of conf. */
export interface ConfRun extends NodeHostOptions {
  /** The directory that `.config` and `include/` are in. */
  readonly cwd: string;
  /** Arguments as the kernel's conf takes them, `["--syncconfig", "Kconfig"]`, say. The tree is the environment's srctree. */
  readonly args: readonly string[];
}

/**
 * Does in a directory what the tree's own conf would do there, byte for byte, without asking questions.
 *
 * @returns the exit status and what was said on stdout and stderr.
 */
export async function runConf(run: ConfRun): Promise<{ readonly status: number; readonly output: string }> {
  const { cwd, args, env = process.env, answers: directory } = run;
  using answers = shellAnswers({ env, cwd, directory });
  const trees = directory === undefined ? undefined : join(directory, "trees");
  const host = quietConfHost({ cwd, env, shell: answers, trees });
  const tree = host.getenv("srctree") ?? cwd;
  const dialect = detectDialect((path) => host.readFile(`${tree}/${path}`));
  await answers.ahead(firstCommands(host.readFile(`${tree}/scripts/Kconfig.include`) ?? "", env));
  const status = await runConfAsync({ args, dialect }, host, answers.all);
  return { status, output: host.said() };
}
