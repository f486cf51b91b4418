import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll } from "vitest";

const running: { kill: () => void; ended: Promise<void> }[] = [];

afterAll(async () => {
  for (const { kill } of running) kill();
  await Promise.all(running.map(({ ended }) => ended));
});

/** Starts a server that ends with the test file. */
export function daemon(
  file: string,
  args: readonly string[],
  options: { readonly argv0?: string; readonly env?: NodeJS.ProcessEnv } = {},
): { kill: () => void; ended: Promise<void> } {
  const child = spawn(file, args, { stdio: "ignore", env: process.env, detached: true, ...options });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  // Its children too.
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  const one = { kill, ended };
  running.push(one);
  return one;
}

/** Tries until it does not throw. */
export async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  for (let left = 100; ; left--) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(50);
    }
  }
}
