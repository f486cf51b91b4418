import { homedir } from "node:os";
import { join } from "node:path";

/** Where answers of shell commands are kept: KCONFIG_ANSWERS names it, undefined (nowhere) when that is empty. */
export function answersDirectory(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env["KCONFIG_ANSWERS"];
  if (named !== undefined) return named === "" ? undefined : named;
  return join(env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "justenough/kconfig/answers");
}
