import { homedir } from "node:os";
import { join } from "node:path";

/** The directory of all of the project's caches. */
export function cacheRoot(cacheDir: string | undefined): string {
  const xdg = process.env["XDG_CACHE_HOME"];
  return cacheDir ?? join(xdg === undefined || xdg === "" ? join(homedir(), ".cache") : xdg, "justenough");
}
