import { constants } from "node:fs";
import { link, lstat, mkdir, open, readdir, realpath, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { randomBytes } from "node:crypto";
import { PxeError } from "../errors.ts";
import { RUN_NAME } from "../policy/schema.ts";

/** How much one run may send. */
export interface UploadQuota {
  /** 256 MiB unless told. */
  readonly bytes?: number | undefined;
  /** 1000 unless told. */
  readonly files?: number | undefined;
}

/** What became of an upload. */
export type UploadResult =
  | { readonly ok: true; readonly bytes: number }
  | { readonly ok: false; readonly status: 400 | 409 | 413; readonly reason: string };

/** A directory of results: one directory for each run, where files only come and never change. */
export interface UploadStore {
  readonly directory: string;
  put(run: string, name: string, body: AsyncIterable<Uint8Array>, announced?: number): Promise<UploadResult>;
}

/**
 * Names are checked against what is allowed, not against what is not: no separator of any system, no dot at
 * the front, no `%` that another decoder could turn into one, nothing that is no plain letter.
 */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const PART = ".part-";

interface Usage {
  bytes: number;
  files: number;
}

/** Open a directory for results; what a crash left half is removed when its run sends again. */
export async function openUploadStore(path: string, quota: UploadQuota = {}): Promise<UploadStore> {
  const mostBytes = quota.bytes ?? 256 << 20;
  const mostFiles = quota.files ?? 1000;
  await mkdir(path, { recursive: true, mode: 0o755 }).catch((cause: unknown) => {
    const text = `Cannot make the directory ${JSON.stringify(path)}: ${(cause as Error).message}`;
    throw new PxeError("PXE_STATE_FAILED", text, { cause, hint: "name a directory that can be written to" });
  });
  const directory = await realpath(path);
  /** What runs hold, with what is on its way. */
  const used = new Map<string, Promise<Usage>>();

  const count = async (run: string): Promise<Usage> => {
    const place = join(directory, run);
    await mkdir(place, { mode: 0o755 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    // A symbolic link would lead out of the directory.
    if (!(await lstat(place)).isDirectory()) throw new Error(`"${run}" is no directory`);
    const usage: Usage = { bytes: 0, files: 0 };
    for (const entry of await readdir(place)) {
      const file = join(place, entry);
      if (entry.startsWith(PART)) await rm(file, { force: true });
      else {
        usage.bytes += (await lstat(file)).size;
        usage.files++;
      }
    }
    return usage;
  };
  const usageOf = (run: string): Promise<Usage> => {
    let usage = used.get(run);
    if (!usage) {
      usage = count(run);
      usage.catch(() => used.delete(run));
      used.set(run, usage);
      // Counting again is all that forgetting costs, but only where nothing is on its way.
      const [oldest] = used.keys();
      if (used.size > 1000 && oldest !== undefined && !busy.has(oldest)) used.delete(oldest);
    }
    return usage;
  };
  const busy = new Map<string, number>();

  /** Write a body; false when it is more than the run may send. What was counted stands in `own`, also after a failure. */
  const write = async (
    handle: FileHandle,
    body: AsyncIterable<Uint8Array>,
    usage: Usage,
    own: { bytes: number },
  ): Promise<boolean> => {
    for await (const part of body) {
      if (usage.bytes + part.length > mostBytes) return false;
      usage.bytes += part.length;
      own.bytes += part.length;
      await handle.writeFile(part);
    }
    return true;
  };

  const store = async (
    run: string,
    name: string,
    body: AsyncIterable<Uint8Array>,
    announced: number,
  ): Promise<UploadResult> => {
    const usage = await usageOf(run);
    const place = join(directory, run);
    const target = join(place, name);
    const exists = await lstat(target).then(
      () => true,
      () => false,
    );
    const taken = { ok: false, status: 409, reason: `"${name}" is there already` } as const;
    if (exists) return taken;
    const tooMuch = (reason: string) => ({ ok: false, status: 413, reason }) as const;
    if (usage.files >= mostFiles) return tooMuch(`A run may send ${mostFiles} files`);
    const over = `A run may send ${mostBytes} bytes`;
    if (usage.bytes + announced > mostBytes) return tooMuch(over);
    usage.files++;
    const own = { bytes: 0 };
    let kept = false;
    const part = join(place, `${PART}${randomBytes(8).toString("hex")}`);
    try {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const handle = await open(part, flags, 0o644);
      try {
        if (!(await write(handle, body, usage, own))) return tooMuch(over);
        await handle.sync();
      } finally {
        await handle.close();
      }
      // A link, unlike a rename, never replaces what is there.
      await link(part, target);
      kept = true;
      return { ok: true, bytes: own.bytes };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EEXIST") return taken;
      throw error;
    } finally {
      await rm(part, { force: true });
      if (!kept) {
        usage.files--;
        usage.bytes -= own.bytes;
      }
    }
  };

  return {
    directory,
    async put(run, name, body, announced = 0) {
      if (!RUN_NAME.test(run) || !FILE_NAME.test(name)) {
        return { ok: false, status: 400, reason: "A name is made of letters, digits and . _ -" };
      }
      busy.set(run, (busy.get(run) ?? 0) + 1);
      try {
        return await store(run, name, body, announced);
      } finally {
        const left = (busy.get(run) ?? 1) - 1;
        if (left > 0) busy.set(run, left);
        else busy.delete(run);
      }
    },
  };
}
