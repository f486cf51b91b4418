import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { throwIfAborted } from "./process.ts";

interface Owner {
  readonly pid: number;
  /** Start time in clock ticks since boot (proc(5), /proc/PID/stat field 22): process ids are used again. */
  readonly started: string;
  readonly nonce: string;
}

/**
 * Holds a lock file while `work` runs. Others wait, also in other processes; the lock of a process that has died is
 * taken over. `onWait` is told once, with the holder's process id.
 */
export async function withLock<T>(
  path: string,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onWait?: ((pid: number) => void) | undefined;
  },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const me: Owner = {
    pid: process.pid,
    started: (await startTime(process.pid)) ?? "",
    nonce: randomBytes(8).toString("hex"),
  };
  const mine = `${path}.${me.nonce}`;
  await writeFile(mine, JSON.stringify(me));
  try {
    let told = false;
    for (;;) {
      throwIfAborted(options.signal);
      // link(2) is atomic and, unlike open(O_EXCL), makes the file appear with its content.
      const held = await link(mine, path).then(
        () => true,
        (error: NodeJS.ErrnoException) => {
          if (error.code === "EEXIST") return false;
          throw error;
        },
      );
      if (held) break;
      const owner = await readOwner(path);
      if (owner !== undefined && (await startTime(owner.pid)) === owner.started) {
        if (!told) options.onWait?.(owner.pid);
        told = true;
        throwIfAborted(options.signal);
        await sleep(100);
      } else await removeStale(path, owner, mine);
    }
  } finally {
    await rm(mine, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** The process that holds a lock; undefined when nobody does, or when it has died. */
export async function lockHolder(path: string): Promise<number | undefined> {
  const owner = await readOwner(path);
  return owner !== undefined && (await startTime(owner.pid)) === owner.started ? owner.pid : undefined;
}

/** Holds a lock while `work` runs, unless somebody else has it: then nothing is done, and the result is undefined. */
export async function withFreeLock<T>(path: string, work: () => Promise<T>): Promise<T | undefined> {
  const held = new AbortController();
  try {
    return await withLock(path, { signal: held.signal, onWait: () => held.abort() }, work);
  } catch (error) {
    if (held.signal.aborted) return undefined;
    throw error;
  }
}

// Two waiters may both see a dead owner: the lock is moved away first, and put back if it was somebody's new one.
async function removeStale(path: string, owner: Owner | undefined, mine: string): Promise<void> {
  const aside = `${mine}.stale`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = await readOwner(aside);
  if (moved !== undefined && moved.nonce !== owner?.nonce) await link(aside, path).catch(() => {});
  await rm(aside, { force: true });
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}

async function startTime(pid: number): Promise<string | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command name may hold spaces and parentheses; fields count from the last one.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
