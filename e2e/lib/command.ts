/** Runs the repository's commands as a user types them, and finds whatever they leave behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";

/** Inherited by every child, so that a survivor is told from other people's processes. */
const mark = "JUSTENOUGH_E2E_RUN";

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The program and its first arguments, in place of `tools/appliance`. */
  readonly command?: readonly string[];
}

export interface Run {
  readonly id: string;
  /** Null when a signal ended the command. */
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Command lines of processes that outlived the command. */
  readonly left: readonly string[];
}

export interface Started {
  readonly id: string;
  readonly child: ChildProcess;
  readonly ended: Promise<Run>;
}

/** Command lines of live processes (no zombies) that carry a run's mark. */
export function marked(id: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!readFileSync(join("/proc", pid, "environ"), "latin1").includes(`${mark}=${id}`)) return [];
        return [
          readFileSync(join("/proc", pid, "cmdline"), "utf8")
            .replaceAll("\0", " ")
            .trim(),
        ].filter(Boolean);
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** Starts `tools/appliance ARGS`. */
export function start(args: readonly string[], options: RunOptions = {}): Started {
  const id = randomUUID();
  const begin = performance.now();
  const [program = "", ...first] = options.command ?? [join(root, "tools/appliance")];
  const child = spawn(program, [...first, ...args], {
    cwd: options.cwd ?? root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0", ...options.env, [mark]: id },
  });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
  const ended = new Promise<Run>((resolve, reject) => {
    child.on("error", reject);
    // "exit" rather than "close": a survivor that holds a pipe must be reported, not waited for.
    child.on("exit", (exitCode) => {
      const seconds = (performance.now() - begin) / 1000;
      setTimeout(() => resolve({ id, exitCode, ...output, seconds, left: marked(id) }), 200);
    });
  });
  return { id, child, ended };
}

/** Runs `tools/appliance ARGS` to its end. */
export function appliance(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return start(args, options).ended;
}
