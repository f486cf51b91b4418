import { readFile, stat } from "node:fs/promises";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { fetchText } from "./http.ts";
import { notice } from "./notice.ts";
import { writeFileAtomic } from "./store.ts";

/** How long an answer of the network about what is newest is good: a morning's or an evening's work. */
export const GOOD_FOR = 12 * 3_600_000;

/**
 * A small text of the network that is kept in the cache. A kept one of at most `maxAge` milliseconds is the answer;
 * an older one is, when the network is not to be used or does not answer, and that is told.
 */
export async function keptText(
  url: string,
  path: string,
  maxAge: number,
  context: KernelContext,
): Promise<string> {
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept !== undefined) {
    const age = Date.now() - (await stat(path)).mtimeMs;
    if (context.offline === true || age <= maxAge) return kept;
  }
  try {
    const text = await fetchText(url, context);
    await writeFileAtomic(path, text);
    return text;
  } catch (error) {
    if (kept === undefined || !(error instanceof KernelError) || error.code === "KERNEL_ABORTED") throw error;
    notice(`${error.message}; what was fetched earlier is used`, context);
    return kept;
  }
}
