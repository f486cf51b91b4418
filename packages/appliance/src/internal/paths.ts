import { homedir } from "node:os";
import { join } from "node:path";

/** `$XDG_CACHE_HOME/justenough` or `~/.cache/justenough`: what can be made again. */
export function defaultCacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "justenough");
}

/** `$XDG_STATE_HOME/justenough` or `~/.local/state/justenough`: records of runs. */
export function defaultStateDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return join(env["XDG_STATE_HOME"] || join(env["HOME"] || homedir(), ".local", "state"), "justenough");
}
