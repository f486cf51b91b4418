import { rename, rm, stat } from "node:fs/promises";
import { heldBy } from "./orphans.ts";
import { runOrThrow } from "./process.ts";

/**
 * Copies a build directory in place of another, with all times, by which make knows what is up to date. At no moment is
 * there a part of one under either name; nothing is done when there is none to copy.
 *
 * @param holder A directory in which waitForOrphans() waits for a copy that was left running.
 */
export async function copyObjects(
  from: string,
  to: string,
  holder: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [beside, old] = [`${to}.new`, `${to}.old`];
  for (const left of [beside, old]) await rm(left, { recursive: true, force: true });
  if ((await stat(from).catch(() => undefined)) === undefined) return;
  const args = ["-a", "--reflink=auto", "--no-target-directory", "--", from, beside];
  await runOrThrow(heldBy(holder, { file: "cp", args }), { what: "copy a build directory", signal });
  // Where it is removed half of it would be taken for the whole.
  await rename(to, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
  });
  await rename(beside, to);
  await rm(old, { recursive: true, force: true });
}
