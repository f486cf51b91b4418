/** `kconfig conf`: the kernel's conf as a process. */
import { join } from "node:path";
import { runConfAsync } from "../conf/conf.ts";
import { detectDialect } from "../engine/dialect-signs.ts";
import { dialectOf } from "../engine/dialect.ts";
import type { Dialect } from "../engine/dialect.ts";
import { answersDirectory } from "./answers-directory.ts";
import { processConfHost } from "./conf-host.ts";
import type { NodeConfHost } from "./conf-host.ts";
import { firstCommands } from "./first-commands.ts";
import { shellAnswers } from "./shell-answers.ts";

/**
 * Runs conf with this process's files, environment and terminal, and gives the exit status. Commands of the tree run
 * side by side, and their answers are kept under the cache directory; KCONFIG_ANSWERS names another one, or none when
 * it is empty. The dialect is that of $srctree, or of the tree (or 1, 2, 3) that KCONFIG_DIALECT names.
 */
export async function confCommand(args: readonly string[]): Promise<number> {
  const { env } = process;
  const cwd = process.cwd();
  const directory = answersDirectory(env);
  using answers = shellAnswers({ env, cwd, directory });
  const trees = directory === undefined ? undefined : join(directory, "trees");
  const host = processConfHost({ cwd, env, shell: answers, trees });
  try {
    const tree = host.getenv("srctree") ?? cwd;
    await answers.ahead(firstCommands(host.readFile(join(tree, "scripts/Kconfig.include")) ?? "", env));
    return await runConfAsync({ args, dialect: dialectFor(host) }, host, answers.all);
  } finally {
    host.finish();
  }
}

function dialectFor(host: NodeConfHost): Dialect {
  const named = host.getenv("KCONFIG_DIALECT");
  if (named === "1" || named === "2" || named === "3") return dialectOf(Number(named) as 1 | 2 | 3);
  const tree = named ?? host.getenv("srctree") ?? host.cwd;
  return detectDialect((path) => host.readFile(join(tree, path)));
}
