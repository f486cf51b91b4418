import { open } from "node:fs/promises";

/** A file that is offered: bytes in memory, a path, or text that is made for each request. */
export type VirtualFile =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array; readonly role?: FileRole }
  | { readonly kind: "path"; readonly path: string; readonly role?: FileRole }
  | { readonly kind: "made"; readonly make: (request: FileRequest) => FileText; readonly role?: FileRole }
  /** Put together while it is read; undefined when there is none for whoever asks. */
  | {
      readonly kind: "opened";
      readonly open: (request: FileRequest) => Promise<OpenFile | undefined>;
      readonly role?: FileRole;
    };

type FileText = string | Promise<string>;

/** What a file is to the boot, for the timeline. */
export type FileRole = "loader" | "script" | "kernel" | "initrd";

/** Who asks for a made file, and how. */
export interface FileRequest {
  readonly via: "tftp" | "http";
  readonly client: string;
  /** By HTTP: what follows the `?`. */
  readonly query?: URLSearchParams | undefined;
}

/** The only names there are: no directory stands behind them, so no name can lead out of one. */
export type VirtualFiles = Pick<ReadonlyMap<string, VirtualFile>, "get">;

/** A file ready for reading at any offset; close it. */
export interface OpenFile {
  readonly size: number;
  /** The whole, if it is in memory. */
  readonly bytes?: Uint8Array;
  /** The same for the same bytes on disk: what was read of one is good for the other. */
  readonly identity?: string;
  /** Fewer bytes than asked for only at the end. The result is valid until the next call. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The key of a name as a client wrote it: ROMs put "/" or "\" in front. Undefined for names with "..". */
export function fileKey(name: string): string | undefined {
  const parts = name.replaceAll("\\", "/").split("/");
  if (parts.includes("..") || name.includes("\0")) return undefined;
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}

/** Bytes as an open file. */
export function inMemory(bytes: Uint8Array): OpenFile {
  return {
    size: bytes.length,
    bytes,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
    close: () => Promise.resolve(),
  };
}

/** Open a file; undefined when there is none for whoever asks. Errors are those of node:fs (`ENOENT` …). */
export async function openVirtual(file: VirtualFile, request: FileRequest): Promise<OpenFile | undefined> {
  if (file.kind === "opened") return file.open(request);
  if (file.kind === "bytes") return inMemory(file.bytes);
  if (file.kind === "made") return inMemory(Buffer.from(await file.make(request)));
  const handle = await open(file.path, "r");
  try {
    const { size, dev, ino, mtimeMs } = await handle.stat();
    return {
      size,
      identity: `${dev} ${ino} ${mtimeMs} ${size}`,
      async read(offset, length) {
        const buffer = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - offset)));
        let filled = 0;
        while (filled < buffer.length) {
          const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
          // Truncated under our hands: a short answer would pass for the end of the file.
          if (bytesRead === 0) throw new Error(`"${file.path}" shrank while it was being read`);
          filled += bytesRead;
        }
        return buffer;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
