import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { journalHeader } from "../lease-journal.ts";
import { syncDirectory } from "./sync-directory.ts";

/** A journal smaller than this is not worth writing anew. */
const LEAST_BYTES = 1 << 20;
/** A journal is written anew when it is so many times larger than what it says. */
const WASTE = 4;
/** How much of a new journal is written with each batch: clients wait meanwhile. */
const SLICE = 1 << 18;

/** A line about an address. */
export interface LogRecord {
  readonly address: string;
  readonly line: string;
}

/** A file of lines that is only ever appended to, or written anew beside itself and renamed over itself. */
export interface LeaseLog {
  /** Append lines and wait until they would survive a loss of power; then they count. */
  commit(batch: readonly LogRecord[]): Promise<void>;
  close(): Promise<void>;
}

interface Fresh {
  readonly handle: FileHandle;
  readonly rest: Iterator<string>;
  bytes: number;
}

async function put(handle: FileHandle, text: string): Promise<void> {
  await handle.appendFile(text);
  await handle.datasync();
}

/**
 * A log at `path` that holds `lines` (by address). `sound` says that the file has just been read and holds
 * these and `size` bytes; otherwise the first commit writes it anew, as each one does after an error: what is on
 * disk then is not known, not even after an error of the sync alone.
 */
export function leaseLog(
  path: string,
  begin: { readonly lines: ReadonlyMap<string, string>; readonly size: number; readonly sound: boolean },
  host: { readonly open?: typeof open; readonly leastBytes?: number } = {},
): LeaseLog {
  const { leastBytes = LEAST_BYTES } = host;
  const openFile = host.open ?? open;
  const beside = `${path}.new`;
  const lines = new Map(begin.lines);
  let live = [...lines.values()].reduce((sum, line) => sum + line.length, 0);
  let { size, sound } = begin;
  let current: FileHandle | undefined;
  let fresh: Fresh | undefined;

  const startFresh = async (): Promise<Fresh> => {
    await rm(beside, { force: true });
    const header = journalHeader();
    const handle = await openFile(beside, "a");
    fresh = { handle, rest: lines.values(), bytes: header.length };
    await handle.appendFile(header);
    return fresh;
  };
  /** The next lines for the new file: as many as fit a slice. A line that changed meanwhile comes as it is now. */
  const slice = ({ rest }: Fresh): { text: string; last: boolean } => {
    let text = "";
    while (text.length < SLICE) {
      const next = rest.next();
      if (next.done === true) return { text, last: true };
      text += next.value;
    }
    return { text, last: false };
  };
  const finish = async (done: Fresh): Promise<void> => {
    await rename(beside, path);
    await syncDirectory(dirname(path));
    await current?.close();
    current = done.handle;
    size = done.bytes;
    fresh = undefined;
  };
  const extend = async (making: Fresh, text: string): Promise<boolean> => {
    const part = slice(making);
    // In this order: what is being recorded replaces what the slice says.
    await put(making.handle, part.text + text);
    making.bytes += part.text.length + text.length;
    return part.last;
  };
  const rewrite = async (): Promise<void> => {
    const making = await startFresh();
    while (!(await extend(making, "")));
    await finish(making);
    sound = true;
  };
  const forsake = async (): Promise<void> => {
    sound = false;
    await fresh?.handle.close().catch(() => undefined);
    fresh = undefined;
  };

  return {
    async commit(batch) {
      const text = batch.map(({ line }) => line).join("");
      try {
        if (!sound) await rewrite();
        current ??= await openFile(path, "a");
        const making = fresh;
        const [last] = await Promise.all([making ? extend(making, text) : false, put(current, text)]);
        size += text.length;
        for (const { address, line } of batch) {
          live += line.length - (lines.get(address)?.length ?? 0);
          lines.set(address, line);
        }
        if (making && last) await finish(making);
        else if (!fresh && size > Math.max(leastBytes, live * WASTE)) await startFresh();
      } catch (error) {
        await forsake();
        throw error;
      }
    },
    async close() {
      await forsake();
      await rm(beside, { force: true }).catch(() => undefined);
      await current?.close();
    },
  };
}
