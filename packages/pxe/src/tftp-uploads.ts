import { randomBytes } from "node:crypto";
import { link, lstat, open, readdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { PxeError } from "./errors.ts";
import { TftpRefusal } from "./tftp-refusal.ts";
import { uploadName } from "./internal/upload-name.ts";
import { TFTP_ERROR } from "./tftp-packet.ts";

/** Where clients may store files by TFTP, and how much. */
export interface TftpUploads {
  /** A directory for this alone. Nothing in it is ever overwritten, nor read back to clients. */
  readonly root: string;
  /** Most bytes in it; 1 GiB unless told. */
  readonly bytes?: number | undefined;
  /** Most files in it; 10,000 unless told. */
  readonly files?: number | undefined;
}

/** Where an upload goes. Errors of `write` and `commit` are told to the client. */
export interface UploadSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Give the file its name. */
  commit(): Promise<void>;
  /** Leave no trace of what was not committed. */
  release(): Promise<void>;
}

/** An upload root that is ready. */
export interface UploadRoot {
  /** Begin a file; `announced` is its size, if the client told it. A `TftpRefusal` is an answer to the client. */
  create(name: string, announced: number | undefined): Promise<UploadSink>;
}

/** Names of what is not complete; no client can choose such a one. */
const PARTIAL = ".part-";

const full = (): TftpRefusal => new TftpRefusal(TFTP_ERROR.diskFull, "No room for this file");

/** Take what is in the directory into account, and remove what a crash left incomplete. */
export async function openUploads(uploads: TftpUploads): Promise<UploadRoot> {
  let root: string;
  const left = { bytes: uploads.bytes ?? 1 << 30, files: uploads.files ?? 10_000 };
  try {
    root = await realpath(uploads.root);
    for (const name of await readdir(root)) {
      if (name.startsWith(PARTIAL)) {
        await rm(join(root, name), { force: true });
        continue;
      }
      left.files--;
      left.bytes -= (await lstat(join(root, name))).size;
    }
  } catch (cause) {
    const text = `Cannot use ${JSON.stringify(uploads.root)} for uploads: ${(cause as Error).message}`;
    throw new PxeError("PXE_UPLOADS_INVALID", text, {
      cause,
      hint: "name a directory that exists and that this program may write to",
    });
  }

  const exists = (path: string): Promise<boolean> =>
    lstat(path).then(
      () => true,
      () => false,
    );
  const taken = (): TftpRefusal => new TftpRefusal(TFTP_ERROR.fileExists, "There is such a file already");

  return {
    async create(asked, announced) {
      const name = uploadName(asked);
      const path = join(root, name);
      if (await exists(path)) throw taken();
      if (left.files <= 0 || (announced ?? 0) > left.bytes) throw full();
      left.files--;
      // Beside its place: a file with its name is complete, also after a crash.
      const partial = join(root, `${PARTIAL}${randomBytes(8).toString("hex")}`);
      const handle = await open(partial, "wx", 0o640).catch((error: unknown) => {
        left.files++;
        throw error;
      });
      let used = 0;
      let committed = false;
      let isOpen = true;
      const close = async (): Promise<void> => {
        if (!isOpen) return;
        isOpen = false;
        await handle.close();
        await rm(partial, { force: true });
      };
      return {
        async write(bytes) {
          if (bytes.length > left.bytes) throw full();
          left.bytes -= bytes.length;
          used += bytes.length;
          await handle.appendFile(bytes);
        },
        async commit() {
          await handle.sync();
          // Unlike a rename, a link never replaces what came there meanwhile.
          await link(partial, path).catch((error: NodeJS.ErrnoException) => {
            throw error.code === "EEXIST" ? taken() : error;
          });
          committed = true;
          await close();
        },
        async release() {
          await close();
          if (committed) return;
          left.files++;
          left.bytes += used;
        },
      };
    },
  };
}
