import { rmSync } from "node:fs";
import { replaceFile } from "../internal/replace-file.ts";
import { startTicks, type BackgroundRun } from "./background.ts";
import type { BootRequest, Running } from "./boot.ts";

/** The background part of `run --detach`: says in a file how it stands, and takes wishes as signals. */
export interface Supervision {
  readonly onFrame: NonNullable<BootRequest["onFrame"]>;
  readonly started: (running: Running) => Promise<void>;
}

// The file's writes must not overtake each other.
export function createSupervision(
  stateFile: string,
  about: { readonly spec: string; readonly name: string; readonly output: string },
): Supervision {
  const since = new Date().toISOString();
  let phase: BackgroundRun["phase"] = "booting";
  let current: Running | undefined;
  let writing: Promise<void> = Promise.resolve();
  process.once("exit", () => rmSync(stateFile, { force: true }));
  const publish = (): Promise<void> => {
    if (!current) return writing;
    const state: BackgroundRun = {
      pid: process.pid,
      ticks: startTicks(process.pid) ?? "",
      ...about,
      since,
      phase,
      forwards: current.forwards,
      directory: current.directory,
    };
    writing = writing.then(() => replaceFile(stateFile, `${JSON.stringify(state, undefined, 2)}\n`));
    return writing;
  };
  return {
    onFrame: (frame) => {
      if (frame.type !== "start") return;
      phase = "running";
      void publish();
    },
    started: async (running) => {
      current = running;
      process.on("SIGUSR1", () => void running.ask("report 1000"));
      process.on("SIGUSR2", () => void running.ask("poweroff"));
      await publish();
    },
  };
}
