/** A program on a pseudo-terminal. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export interface Pty extends Disposable {
  /** All that was written so far. */
  readonly output: () => string;
  readonly type: (text: string) => void;
  readonly resize: (rows: number, columns: number) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
  /** Until a text has been written since the last one that was waited for; an error says what was written instead. */
  readonly until: (text: string) => Promise<void>;
  /** The exit status, and the mode of the terminal after it. */
  readonly end: Promise<{ readonly status: number | null; readonly mode: string }>;
}

export interface PtyOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly rows?: number;
  readonly columns?: number;
}

export function onPty(
  command: readonly [string, ...string[]],
  { cwd, env, rows = 24, columns = 80 }: PtyOptions,
): Pty {
  const bridge = join(import.meta.dirname, "pty_bridge.py");
  const child = spawn("python3", ["-B", bridge, String(rows), String(columns), ...command], {
    cwd,
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let output = "";
  let mode = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (mode += text));
  let seen = 0;
  let changed: () => void = () => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    changed();
  });
  let hasEnded = false;
  const end = new Promise<Awaited<Pty["end"]>>((resolve, reject) => {
    child.on("error", reject).on("close", (status) => {
      hasEnded = true;
      changed();
      resolve({ status, mode });
    });
  });
  const order = (line: string): void => void child.stdin.write(`${line}\n`);
  return {
    output: () => output,
    type: (text) => order(`type ${Buffer.from(text).toString("hex")}`),
    resize: (rows, columns) => order(`size ${rows} ${columns}`),
    kill: (signal) => order(`kill ${signal}`),
    until: async (text) => {
      for (;;) {
        const at = output.indexOf(text, seen);
        if (at >= 0) {
          seen = at + text.length;
          return;
        }
        if (hasEnded) throw new Error(`it ended without "${text}":\n${JSON.stringify(output.slice(seen))}`);
        await new Promise<void>((resolve, reject) => {
          const timer = setTimeout(
            () => reject(new Error(`no "${text}" came:\n${JSON.stringify(output.slice(seen))}`)),
            60_000,
          );
          changed = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
    },
    end,
    [Symbol.dispose]: () => void child.kill(),
  };
}
