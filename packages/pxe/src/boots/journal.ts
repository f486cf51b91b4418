import { mkdir, open, readFile, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { PxeError } from "../errors.ts";
import type { Closable } from "../internal/closers.ts";
import { takeLock } from "../internal/file-lock.ts";
import { syncDirectory } from "../internal/sync-directory.ts";

/** A file of JSON lines that only grows, until it is written anew beside itself and renamed. */
export interface Journal<Entry> {
  /** Resolves when the entry is on the disk; entries that come meanwhile share one flush. */
  append(entry: Entry): Promise<void>;
  close(): Promise<void>;
}

/** How many lines more than needed are kept before the file is written anew. */
const SLACK = 1000;

/** Write the whole beside the file, then put it in its place: at no moment is there half a file. */
async function writeAnew(file: string, lines: readonly string[]): Promise<void> {
  const beside = `${file}.new`;
  await rm(beside, { force: true });
  // Tokens of machines are in it.
  const handle = await open(beside, "wx", 0o600);
  try {
    await handle.writeFile(lines.join(""));
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(beside, file);
  await syncDirectory(dirname(file));
}

/** The entries that a journal holds. A last line without its end was never confirmed to anybody: it is left out. */
export async function readEntries(file: string): Promise<readonly unknown[]> {
  const text = await readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return "";
    throw new PxeError("PXE_STATE_FAILED", `Cannot read ${JSON.stringify(file)}: ${cause.message}`, {
      cause,
      hint: "choose another directory by --state",
    });
  });
  const lines = text.split("\n").slice(0, -1);
  return lines.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch (cause) {
      throw new PxeError("PXE_STATE_FAILED", `${JSON.stringify(file)} is damaged at line ${index + 1}`, {
        cause,
        hint: "look at it, and move it away to begin anew",
      });
    }
  });
}

/**
 * Open a journal for appending, for this process alone. `adopt` takes what others have left in it, `live` gives the
 * entries that a reader still needs. It is first written anew, so that what a crash left at its end cannot spoil the
 * next line.
 */
export async function openJournal<Entry>(
  file: string,
  keeper: { live(): readonly Entry[]; adopt(entries: readonly unknown[]): void },
): Promise<Journal<Entry>> {
  const lock = await lockFor(file);
  try {
    keeper.adopt(await readEntries(file));
    return await openLocked(file, keeper.live, lock);
  } catch (error) {
    await lock.close();
    throw error;
  }
}

const cannotWrite = (file: string, cause: unknown): PxeError =>
  new PxeError("PXE_STATE_FAILED", `Cannot write ${JSON.stringify(file)}: ${(cause as Error).message}`, {
    cause,
    hint: "choose a directory that can be written, by --state",
  });

async function lockFor(file: string): Promise<Closable> {
  let lock: Closable | undefined;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    lock = await takeLock(`${file}.lock`);
  } catch (cause) {
    throw cannotWrite(file, cause);
  }
  if (lock) return lock;
  throw new PxeError("PXE_STATE_FAILED", `Another server keeps its queues in ${JSON.stringify(file)}`, {
    hint: "stop it, or choose another directory by --state",
  });
}

async function openLocked<Entry>(
  file: string,
  live: () => readonly Entry[],
  lock: Closable,
): Promise<Journal<Entry>> {
  const line = (entry: Entry): string => `${JSON.stringify(entry)}\n`;
  let handle: FileHandle | undefined;
  let lines = 0;
  let waiting: { readonly text: string; readonly done: (error?: Error) => void }[] = [];
  let writing: Promise<void> | undefined;

  const anew = async (): Promise<void> => {
    const entries = live();
    await handle?.close();
    handle = undefined;
    await writeAnew(file, entries.map(line));
    handle = await open(file, "a");
    lines = entries.length;
  };
  await anew().catch((cause: unknown) => {
    throw cannotWrite(file, cause);
  });

  const flush = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        // What `live` tells holds the batch already: it was appended after the state had changed.
        if (lines > 2 * live().length + SLACK || !handle) await anew();
        else {
          await handle.write(batch.map(({ text }) => text).join(""));
          await handle.datasync();
          lines += batch.length;
        }
        for (const { done } of batch) done();
      } catch (cause) {
        const error = cannotWrite(file, cause);
        for (const { done } of batch) done(error);
        // Half a line may be there now: the next flush writes the file anew.
        await handle?.close().catch(() => undefined);
        handle = undefined;
      }
    }
    writing = undefined;
  };
  return {
    append: (entry) =>
      new Promise((resolve, reject) => {
        waiting.push({ text: line(entry), done: (error) => (error ? reject(error) : resolve()) });
        writing ??= flush();
      }),
    async close() {
      await writing;
      await handle?.close();
      handle = undefined;
      await lock.close();
    },
  };
}
