import { mkdir, open, readFile, realpath } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { PxeError } from "../errors.ts";
import type { PxeEventBody } from "../events.ts";
import { journalLine, readJournal, type Clocks, type JournalText } from "../lease-journal.ts";
import type { Lease } from "../leases.ts";
import type { Closable } from "./closers.ts";
import { takeLock } from "./file-lock.ts";
import { leaseLog, type LogRecord } from "./lease-log.ts";

/** Leases on disk. */
export interface LeaseFile extends Closable {
  /** What was kept from before. */
  readonly leases: readonly Lease[];
  /** Write a lease; `done` is called when it would survive a loss of power, and never when it would not. */
  append(lease: Lease, done: () => void): void;
}

function failure(path: string, cause: unknown): PxeError {
  const text = cause instanceof Error ? cause.message : String(cause);
  return new PxeError("PXE_LEASES_FAILED", `Cannot keep leases in ${JSON.stringify(path)}: ${text}`, {
    cause,
    hint: "name a file in a directory that can be written to",
  });
}

async function load(path: string, clocks: Clocks): Promise<JournalText & { readonly size: number }> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw failure(path, error);
  });
  if (bytes.length === 0) return { lines: new Map(), leases: [], damaged: 0, end: 0, size: 0 };
  const journal = readJournal(bytes, clocks);
  if (journal) return { ...journal, size: bytes.length };
  throw new PxeError("PXE_LEASES_INVALID", `${JSON.stringify(path)} is not a file of leases`, {
    hint: "name another file; if this one was damaged, move it away",
  });
}

/**
 * Open a journal of leases for this process alone. Records that come while the disk is busy share the next
 * sync (group commit). A torn end and damaged lines are left out, with a warning.
 *
 * Errors: `PXE_LEASES_LOCKED`, `PXE_LEASES_INVALID`, `PXE_LEASES_FAILED`.
 */
export async function openLeaseFile(options: {
  path: string;
  clocks: () => Clocks;
  onEvent: (event: PxeEventBody) => void;
  /** For tests: what opens files, and the size from which on a journal is written anew. */
  host?: { readonly open?: typeof open; readonly leastBytes?: number };
}): Promise<LeaseFile> {
  const { clocks, onEvent, host } = options;
  const given = resolve(options.path);
  const [path, lock] = await (async () => {
    await mkdir(dirname(given), { recursive: true });
    const real = await realpath(given).catch(() => given);
    return [real, await takeLock(`${real}.lock`)] as const;
  })().catch((error: unknown) => {
    throw failure(given, error);
  });
  if (!lock) {
    throw new PxeError("PXE_LEASES_LOCKED", `Another server keeps its leases in ${JSON.stringify(path)}`, {
      hint: "stop it, or name another file",
    });
  }
  const warn = (code: "leases-damaged" | "leases-failed", message: string, hint: string): void =>
    onEvent({ kind: "warning", code, message, hint });
  try {
    const kept = await load(path, clocks());
    const sound = kept.size > 0 && kept.damaged === 0 && kept.end === kept.size;
    const log = leaseLog(path, { lines: kept.lines, size: kept.size, sound }, host);
    // A first commit of nothing: what cannot be written to is an error now, not when a client asks.
    await log.commit([]);
    if (kept.size > 0 && !sound) {
      const torn = kept.size - kept.end;
      const what = `${kept.damaged} damaged lines were left out and ${torn} bytes of a torn end cut off`;
      const hint = "clients whose leases were lost get them again as they renew";
      warn("leases-damaged", `${JSON.stringify(path)}: ${what}`, hint);
    }

    let waiting: (LogRecord & { done: () => void })[] = [];
    let running: Promise<void> | undefined;
    let failing = false;
    const run = async (): Promise<void> => {
      while (waiting.length > 0) {
        // What else arrived in this turn goes with it.
        await new Promise<void>((next) => setImmediate(next));
        const batch = waiting;
        waiting = [];
        try {
          await log.commit(batch);
          failing = false;
        } catch (error) {
          // Clients ask again, and the next batch tries again.
          const { message, hint = "" } = failure(path, error);
          if (!failing) warn("leases-failed", `${message}; clients get no address until it can`, hint);
          failing = true;
          continue;
        }
        for (const { done } of batch) done();
      }
      running = undefined;
    };
    return {
      leases: kept.leases,
      append(lease, done) {
        waiting.push({ address: lease.address, line: journalLine(lease, clocks()), done });
        running ??= run();
      },
      async close() {
        await running;
        await log.close();
        await lock.close();
      },
    };
  } catch (error) {
    await lock.close();
    throw error instanceof PxeError ? error : failure(path, error);
  }
}
