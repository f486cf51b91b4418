/** Runs the repository's commands as a user types them, and finds whatever they leave behind. */
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { root } from "@justenough-dev/tools/workspace";
import { type Options, type Result, execa } from "execa";

/** Inherited by every child, so that a survivor is told from other people's processes. */
const mark = "JUSTENOUGH_E2E_RUN";

export interface Run {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Command lines of processes that outlived the command. */
  readonly left: readonly string[];
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

export interface Started {
  readonly id: string;
  readonly child: ReturnType<typeof execa>;
}

/** Starts `tools/appliance ARGS`. */
export function start(args: readonly string[], options: Options = {}): Started {
  const id = randomUUID();
  const child = execa(join(root, "tools/appliance"), args, {
    cwd: root,
    reject: false,
    stripFinalNewline: false,
    stdin: "ignore",
    ...options,
    env: { NO_COLOR: "1", FORCE_COLOR: "0", ...options.env, [mark]: id },
  });
  return { id, child };
}

/** Runs `tools/appliance ARGS` to its end. */
export async function appliance(args: readonly string[], options: Options = {}): Promise<Run> {
  const begin = performance.now();
  const { id, child } = start(args, options);
  const result: Result = await child;
  const seconds = (performance.now() - begin) / 1000;
  return {
    exitCode: result.exitCode,
    stdout: String(result.stdout ?? ""),
    stderr: String(result.stderr ?? ""),
    seconds,
    left: marked(id),
  };
}
