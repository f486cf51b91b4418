import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { openSync, closeSync } from "node:fs";
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApplianceError } from "../error.ts";
import { backgroundDir, isAlive, readBackground, stopBackground, type BackgroundRun } from "./background.ts";

export interface DetachRequest {
  /** The command's file and its arguments, which are run again in the background. */
  readonly command: readonly string[];
  readonly name: string;
  readonly signal: AbortSignal;
  /** How long the boot may take, in milliseconds. */
  readonly patience?: number | undefined;
}

/**
 * Starts the same command again as a process of its own session, and comes back when the program runs and
 * every forwarded port answers. What goes wrong before that is thrown with the background's own words.
 */
export async function detach(request: DetachRequest): Promise<BackgroundRun> {
  const { command, name, signal } = request;
  const directory = backgroundDir();
  await mkdir(directory, { recursive: true });
  await pruneLogs(directory);
  const stateFile = join(directory, `${name}-${randomUUID()}.json`);
  const output = stateFile.replace(/json$/, "log");
  const log = openSync(output, "w");
  const [file = process.execPath, ...args] = command;
  const child = spawn(file, insertFlag(args, stateFile), {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  child.unref();
  let ended: number | null | undefined;
  child.once("exit", (status) => {
    ended = status;
  });
  child.once("error", () => {
    ended = 1;
  });
  const until = Date.now() + (request.patience ?? 200_000);
  let state: BackgroundRun | undefined;
  while (state?.phase !== "running") {
    if (signal.aborted) {
      if (state) await stopBackground(state, 0);
      else child.kill("SIGTERM");
      signal.throwIfAborted();
    }
    if (ended !== undefined) throw await failure(output, name, ended);
    if (Date.now() > until) {
      child.kill("SIGTERM");
      throw new ApplianceError("APPLIANCE_TIMEOUT", `"${name}" did not start its program in time`, {
        hint: `its output: ${output}`,
      });
    }
    await sleep(50);
    state = await readBackground(stateFile);
  }
  for (const { host } of state.forwards) await waitForPort(host, state, signal);
  if (!isAlive(state)) throw await failure(output, name, ended ?? 1);
  return state;
}

/** The same arguments with our own flag, which has to stand before any `--`. */
function insertFlag(args: readonly string[], stateFile: string): string[] {
  const at = args.indexOf("--");
  const end = at === -1 ? args.length : at;
  return [...args.slice(0, end), "--supervise", stateFile, "--quiet", ...args.slice(end)];
}

async function failure(output: string, name: string, status: number | null): Promise<ApplianceError> {
  const text = (await readFile(output, "utf8").catch(() => "")).trim();
  const message = /^error: ([\s\S]*?)(?:\nhint: (.*)[\s\S]*)?$/m.exec(text);
  if (message) {
    return new ApplianceError("APPLIANCE_BOOT_FAILED", message[1] ?? "", { hint: message[2] });
  }
  const tail = text === "" ? "" : `; its last lines:\n${text.split("\n").slice(-10).join("\n")}`;
  return new ApplianceError(
    "APPLIANCE_BOOT_FAILED",
    `"${name}" ended with status ${status} instead of staying${tail}`,
  );
}

/**
 * Waits until something in the guest answers. QEMU accepts a forwarded connection before it knows whether
 * anybody listens in the guest, and closes it at once if nobody does: only a connection that lasts counts.
 */
async function waitForPort(port: number, run: BackgroundRun, signal: AbortSignal): Promise<void> {
  const until = Date.now() + 30_000;
  while (Date.now() < until && isAlive(run)) {
    signal.throwIfAborted();
    if (await answers(port)) return;
    await sleep(100);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: "127.0.0.1", port });
    const finish = (good: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      done(good);
    };
    const timer = setTimeout(() => finish(socket.readyState === "open"), 400);
    socket.once("data", () => finish(true));
    socket.once("error", () => finish(false));
    socket.once("close", () => finish(false));
  });
}

/** Output of runs that are over is kept for a while: the ten newest. */
async function pruneLogs(directory: string): Promise<void> {
  const names = await readdir(directory);
  const over = names.filter((name) => name.endsWith(".log") && !names.includes(name.replace(/log$/, "json")));
  const aged = await Promise.all(
    over.map(async (name) => ({ name, time: (await stat(join(directory, name))).mtimeMs })),
  );
  for (const { name } of aged.toSorted((a, b) => b.time - a.time).slice(10))
    await rm(join(directory, name), { force: true });
}
