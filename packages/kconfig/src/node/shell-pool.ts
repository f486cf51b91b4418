/** Several shells that run commands side by side, fed while this process goes on reading. */
import type { ChildProcess } from "node:child_process";
import { availableParallelism } from "node:os";
import { inSharedShell } from "./shell-shortcuts.ts";

export interface ShellPool {
  /** Starts a command, which is one line, and gives its standard output as latin-1 text. */
  readonly run: (command: string) => Promise<string>;
  /** Ends the shells. */
  readonly close: () => void;
}

interface Shell {
  readonly child: ChildProcess;
  readonly waiting: ((output: string) => void)[];
}

/**
 * A pool of shells, one for each processor and one more: commands are given out in turn, and the system's scheduler evens
 * out what that leaves uneven. They get the environment that is given, and nothing on standard input.
 */
export function startShellPool(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}): ShellPool {
  // Loaded here, since most often there is nothing to run.
  const { spawn } = process.getBuiltinModule("node:child_process");
  // Nothing that a command prints looks like this.
  const mark = process.getBuiltinModule("node:crypto").randomBytes(12).toString("hex");
  // Each line is a command, after a word that tells whether it is to have a shell of its own.
  const script = [
    "trap 'rm -rf .tmp_$$' EXIT; trap 'exit 1' HUP INT TERM",
    'while IFS= read -r c; do case "$c" in own*) sh -c "${c#own }" </dev/null ;; *) eval "${c#shared }" </dev/null ;; esac',
    `printf '\\n${mark}\\n'; done`,
  ].join("\n");
  const programs = ["CC", "LD", "RUSTC"].flatMap((name) => options.env[name]?.trim() || []);
  const end = `\n${mark}\n`;
  const shells: Shell[] = [];
  const limit = availableParallelism() + 1;
  let next = 0;
  const start = (): Shell => {
    const child = spawn("/bin/sh", ["-c", script], { ...options, stdio: ["pipe", "pipe", "inherit"] });
    const waiting: Shell["waiting"] = [];
    let text = "";
    child.stdout.setEncoding("latin1").on("data", (chunk: string) => {
      text += chunk;
      for (let at = text.indexOf(end); at >= 0; at = text.indexOf(end)) {
        const output = text.slice(0, at);
        text = text.slice(at + end.length);
        waiting.shift()?.(output);
      }
    });
    // A shell that dies answers what it still owes with nothing, as a command that fails does.
    child.on("close", () => {
      for (const answer of waiting.splice(0)) answer("");
    });
    child.stdin.on("error", () => {});
    return { child, waiting };
  };
  return {
    run: async (command) =>
      new Promise((resolve) => {
        if (shells.length < limit) shells.push(start());
        const shell = shells[next++ % limit] as Shell;
        shell.waiting.push(resolve);
        const shared = inSharedShell(command, programs);
        shell.child.stdin?.write(shared === undefined ? `own ${command}\n` : `shared ${shared}\n`, "latin1");
      }),
    close: () => {
      for (const { child } of shells) child.stdin?.end();
    },
  };
}
