import { spawn } from "node:child_process";

/** How a test of a running appliance ended, and the last line that it printed. */
interface Tested {
  readonly status: number | null;
  readonly text: string;
}

/** Runs a test once, in the spec's directory; after ten seconds it is ended, with all that it started. */
export function runTest(
  command: string,
  how: {
    readonly cwd: string;
    /** Added to ours. */
    readonly env: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal | undefined;
    /** Milliseconds. */
    readonly timeout?: number | undefined;
  },
): Promise<Tested> {
  const { cwd, env, signal, timeout = 10_000 } = how;
  return new Promise((done) => {
    const child = spawn("sh", ["-c", command], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      // A group of its own: a pipe of which one end is left would be waited for.
      detached: true,
    });
    const stop = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, "SIGKILL");
      } catch {
        // It has ended by itself.
      }
    };
    const timer = setTimeout(stop, timeout);
    signal?.addEventListener("abort", stop, { once: true });
    const end = (tested: Tested): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
      done(tested);
    };
    let text = "";
    const collect = (chunk: Buffer): void => {
      text = (text + chunk.toString()).slice(-2000);
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", (error) => end({ status: null, text: error.message }));
    child.on("close", (status) => end({ status, text: text.trim().split("\n").at(-1) ?? "" }));
    if (signal?.aborted === true) stop();
  });
}
