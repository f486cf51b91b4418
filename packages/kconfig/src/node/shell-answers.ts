/** Answers to the shell commands of a tree: kept ones, and those of shells that run side by side. */
import { openAnswers } from "./answers.ts";
import { startShellPool } from "./shell-pool.ts";
import type { ShellPool } from "./shell-pool.ts";
import { answerWithoutShell } from "./shell-shortcuts.ts";

// Loaded when a command has to run, and most often none has: they are kept.
const children = () => process.getBuiltinModule("node:child_process");

export interface ShellAnswers extends Disposable {
  /** The answer if it is known without running the command. */
  readonly recall: (command: string) => string | undefined;
  /** The answer at once. */
  readonly shell: (command: string) => string;
  /** What starts a command; undefined when its answer is there already, or when it has to be asked for at once. */
  readonly defer: (command: string) => (() => void) | undefined;
  /**
   * Asks several commands side by side, and knows their answers afterwards; but not those of commands that complained, which
   * are to do so in their turn.
   */
  readonly ahead: (commands: readonly string[]) => Promise<void>;
  /** Waits for all that was started. */
  readonly all: () => Promise<void>;
  /** Waits for one. */
  readonly answer: (command: string) => string | Promise<string>;
}

export interface ShellAnswersOptions {
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** Where answers are kept between runs; undefined keeps none. */
  readonly directory?: string | undefined;
}

/** Disposing it ends the shells and writes down the new answers. */
export function shellAnswers(options: ShellAnswersOptions): ShellAnswers {
  const { env = process.env, cwd = process.cwd(), directory } = options;
  const kept = directory === undefined ? undefined : openAnswers(directory, env);
  const known = new Map<string, string>();
  const running = new Map<string, Promise<string>>();
  let pool: ShellPool | undefined;
  const take = (command: string, output: string): string => {
    known.set(command, output);
    kept?.set(command, output);
    return output;
  };
  const recall = (command: string): string | undefined =>
    known.get(command) ?? kept?.get(command) ?? answerWithoutShell(command, env["PATH"]);
  const start = (command: string): Promise<string> => {
    let one = running.get(command);
    if (one === undefined) {
      pool ??= startShellPool({ env, cwd });
      one = pool.run(command).then((output) => take(command, output));
      running.set(command, one);
    }
    return one;
  };
  return {
    recall,
    shell: (command) => recall(command) ?? take(command, runNow(command, env, cwd)),
    defer: (command) => {
      if (recall(command) !== undefined || command.includes("\n")) return undefined;
      return () => void start(command);
    },
    ahead: async (commands) => {
      const unknown = commands.filter((command) => recall(command) === undefined);
      await Promise.all(
        unknown.map(async (command) => {
          const output = await runQuietly(command, env, cwd);
          if (output !== undefined) take(command, output);
        }),
      );
    },
    all: async () => void (await Promise.all(running.values())),
    answer: (command) =>
      recall(command) ?? (command.includes("\n") ? take(command, runNow(command, env, cwd)) : start(command)),
    [Symbol.dispose]: () => {
      pool?.close();
      kept?.save();
    },
  };
}

/** The output of a command; undefined when it wrote to standard error as well, or could not be run. */
function runQuietly(
  command: string,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): Promise<string | undefined> {
  const child = children().spawn("/bin/sh", ["-c", Buffer.from(command, "latin1").toString("utf8")], {
    env,
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [output, complaints] = ["", ""];
  child.stdout.setEncoding("latin1").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("latin1").on("data", (text: string) => (complaints += text));
  return new Promise((resolve) => {
    child.on("error", () => resolve(undefined));
    child.on("close", () => resolve(complaints === "" ? output : undefined));
  });
}

function runNow(command: string, env: Readonly<Record<string, string | undefined>>, cwd: string): string {
  const { stdout } = children().spawnSync(
    "/bin/sh",
    ["-c", Buffer.from(command, "latin1").toString("utf8")],
    {
      env,
      cwd,
      stdio: ["ignore", "pipe", "inherit"],
      maxBuffer: 1 << 26,
    },
  );
  return (stdout as Buffer | null)?.toString("latin1") ?? "";
}
