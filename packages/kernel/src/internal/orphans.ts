import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./process.ts";
import type { Command } from "./process.ts";

/**
 * The command, such that {@link waitForOrphans} knows of it and of all that it starts. A process that is killed leaves make
 * and compilers behind, which write on for a while: they inherit a lock that flock(1) holds by an open file.
 */
export function heldBy(directory: string, { file, args, ...rest }: Command): Command {
  return { ...rest, file: "flock", args: [join(directory, ".justenough.lock"), file, ...args] };
}

/** Waits until nothing that a killed process had started in a directory runs any more; makes the directory. */
export async function waitForOrphans(directory: string, signal: AbortSignal | undefined): Promise<void> {
  await mkdir(directory, { recursive: true });
  await run(heldBy(directory, { file: "true", args: [] }), { signal });
}
