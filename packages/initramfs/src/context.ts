import { homedir } from "node:os";
import { join } from "node:path";

import { InitramfsError } from "./error.ts";

/** A step of the work; `done` and `total` count the unit, so that a progress bar is honest. */
export interface InitramfsProgress {
  readonly phase: "init" | "collect" | "pack";
  readonly done: number;
  readonly total?: number | undefined;
  readonly unit: "entries" | "bytes" | "programs" | "layers";
  readonly message?: string | undefined;
}

/** What a long operation takes besides its own options. */
export interface InitramfsContext {
  /** Default: `$XDG_CACHE_HOME/justenough`, else `~/.cache/justenough`. */
  readonly cacheDir?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((event: InitramfsProgress) => void) | undefined;
}

/** This package's own part of the cache. */
export function cacheDirectory(context: InitramfsContext): string {
  const base =
    context.cacheDir ?? join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "justenough");
  return join(base, "initramfs");
}

/** Throws if the caller has given up. */
export function checkAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new InitramfsError("INITRAMFS_ABORTED", "Building the initramfs was aborted", {
    cause: signal.reason,
  });
}
