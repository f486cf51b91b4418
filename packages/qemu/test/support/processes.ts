import { readdir, readFile } from "node:fs/promises";

/** Live processes whose command line contains `text`; killed ones that nobody has reaped yet do not count. */
export async function processesWith(text: string): Promise<number[]> {
  const found: number[] = [];
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    try {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const state = stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3);
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8");
      if (state !== "Z" && state !== "X" && line.includes(text)) found.push(Number(pid));
    } catch {
      // It has just ended.
    }
  }
  return found;
}

/** Waits until `condition` holds, at most `limit` milliseconds; tells whether it did. */
export async function until(condition: () => Promise<boolean>, limit: number): Promise<boolean> {
  for (const end = Date.now() + limit; Date.now() < end;) {
    if (await condition()) return true;
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  return condition();
}
