import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";

import { InitramfsError } from "../error.ts";

/** An image on disk, of which any part can be read. */
export interface ImageFile {
  readonly path: string;
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
  /** Fills a buffer, and tells how far. */
  readInto(buffer: Uint8Array, offset: number): number;
  close(): void;
}

/** @throws {InitramfsError} INITRAMFS_READ */
export function openImageFile(path: string): ImageFile {
  return attempt(path, () => {
    const fd = openSync(path, "r");
    const { size } = fstatSync(fd);
    return {
      path,
      size,
      read: (offset, length) =>
        attempt(path, () => {
          const bytes = new Uint8Array(length);
          return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
        }),
      readInto: (buffer, offset) => attempt(path, () => readSync(fd, buffer, 0, buffer.length, offset)),
      close: () => closeSync(fd),
    };
  });
}

/** All of it. @throws {InitramfsError} INITRAMFS_READ */
export function readWholeImage(path: string): Uint8Array {
  return attempt(path, () => readFileSync(path));
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: "it does not exist",
      EISDIR: "it is a directory",
      EACCES: "permission denied",
      ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GiB",
    };
    const reason = reasons[code ?? ""] ?? message;
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the image "${path}": ${reason}`, {
      cause: error,
    });
  }
}
