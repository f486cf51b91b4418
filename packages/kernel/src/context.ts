import { homedir } from "node:os";
import { join } from "node:path";

/** How far a long step is. `total` is missing while it is not known. */
export interface KernelProgress {
  readonly phase: "wait" | "index" | "download" | "unpack" | "configure" | "compile" | "install";
  readonly done: number;
  readonly total?: number | undefined;
  readonly unit: "bytes" | "objects" | "steps";
  readonly message?: string | undefined;
  /** Milliseconds that the rest would take at the pace so far, once there is one. */
  readonly left?: number | undefined;
}

/** What every long operation of this package takes. */
export interface KernelContext {
  /** Where all caches are; this package uses the directory `kernel` in it. Default: `$XDG_CACHE_HOME/justenough` or `~/.cache/justenough`. */
  readonly cacheDir?: string | undefined;
  /** Aborting stops child processes, removes half-written files and rejects with KERNEL_ABORTED. */
  readonly signal?: AbortSignal | undefined;
  /** Answers from the cache alone: what is not in it is a KERNEL_DOWNLOAD error. Default: false. */
  readonly offline?: boolean | undefined;
  readonly onProgress?: ((event: KernelProgress) => void) | undefined;
}

/** The directory of this package's caches. It can be deleted at any time. */
export function kernelCacheDir(context: Pick<KernelContext, "cacheDir"> = {}): string {
  const xdg = process.env["XDG_CACHE_HOME"];
  const home = xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg;
  return join(context.cacheDir ?? join(home, "justenough"), "kernel");
}
