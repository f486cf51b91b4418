/** `kconfig conf`: the kernel's conf as a process. */
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { runConfAsync } from "../conf/conf.ts";
import { detectDialect, dialectOf } from "../engine/dialect.ts";
import type { Dialect } from "../engine/dialect.ts";
import { openAnswers } from "./answers.ts";
import type { AnswerCache } from "./answers.ts";
import { nodeConfHost } from "./conf-host.ts";
import type { NodeConfHost } from "./conf-host.ts";
import { startShellPool } from "./shell-pool.ts";
import type { ShellPool } from "./shell-pool.ts";

/**
 * Runs conf with this process's files, environment and terminal, and gives the exit status. Commands of the tree run
 * side by side, and their answers are kept under the cache directory; KCONFIG_ANSWERS names another one, or none when
 * it is empty. The dialect is that of $srctree, or of the tree (or 1, 2, 3) that KCONFIG_DIALECT names.
 */
export async function confCommand(args: readonly string[], program = "conf"): Promise<number> {
  const host = nodeConfHost();
  const cache = answerCache();
  let pool: ShellPool | undefined;
  const known = new Map<string, string>();
  const running = new Map<string, Promise<void>>();
  const take = (command: string, output: string): string => {
    known.set(command, output);
    cache?.set(command, output);
    return output;
  };
  const answering: NodeConfHost = {
    ...host,
    shell: (command) => known.get(command) ?? cache?.get(command) ?? take(command, host.shell(command)),
    defer: (command) => {
      if (known.has(command) || command.includes("\n")) return false;
      const kept = cache?.get(command);
      if (kept !== undefined) {
        known.set(command, kept);
        return false;
      }
      if (!running.has(command)) {
        pool ??= startShellPool();
        running.set(
          command,
          pool.run(command).then((output) => void take(command, output)),
        );
      }
      return true;
    },
  };
  try {
    const status = await runConfAsync({ args, program, dialect: dialectFor(host) }, answering, async () => {
      await Promise.all(running.values());
    });
    cache?.save();
    return status;
  } finally {
    pool?.close();
    host.finish();
  }
}

function answerCache(): AnswerCache | undefined {
  const named = process.env["KCONFIG_ANSWERS"];
  if (named === "") return undefined;
  const base = process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache");
  return openAnswers(named ?? join(base, "justenough/kconfig/answers"));
}

function dialectFor(host: NodeConfHost): Dialect {
  const named = process.env["KCONFIG_DIALECT"];
  if (named === "1" || named === "2" || named === "3") return dialectOf(Number(named) as 1 | 2 | 3);
  const tree = named ?? process.env["srctree"] ?? ".";
  return detectDialect((path) => host.readFile(join(tree, path)));
}
