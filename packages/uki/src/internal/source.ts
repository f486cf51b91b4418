import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { UkiError } from "../errors.ts";

/** A path, or bytes in memory. */
export type UkiInput = string | Uint8Array;

/** Something that can be read at any offset; close it. */
export interface Source {
  /** For messages. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes; only ranges within `size` are asked for. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Opens a file or wraps bytes. Only regular files: the size of anything else is not known before it is read. */
export async function openSource(input: UkiInput): Promise<Source> {
  if (typeof input !== "string") {
    return {
      name: "the given bytes",
      size: input.length,
      read: (offset, length) => Promise.resolve(input.subarray(offset, offset + length)),
      close: () => Promise.resolve(),
    };
  }
  const name = JSON.stringify(input);
  const failed = (cause: unknown): UkiError =>
    new UkiError("UKI_FILE", `Cannot read ${name}: ${(cause as Error).message}`, { cause });
  // Without O_NONBLOCK a named pipe would be waited for.
  const handle = await open(input, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw failed(cause);
  });
  try {
    const info = await handle.stat();
    if (!info.isFile()) throw new UkiError("UKI_FILE", `Cannot read ${name}: it is not a regular file`);
    return {
      name,
      size: info.size,
      async read(offset, length) {
        const bytes = Buffer.allocUnsafe(length);
        let filled = 0;
        while (filled < length) {
          const { bytesRead } = await handle
            .read(bytes, filled, length - filled, offset + filled)
            .catch((cause: unknown) => {
              throw failed(cause);
            });
          if (bytesRead === 0) {
            throw new UkiError("UKI_FILE_CHANGED", `${name} became shorter while it was being read`);
          }
          filled += bytesRead;
        }
        return bytes;
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens, uses and closes. */
export async function withSource<T>(input: UkiInput, use: (source: Source) => Promise<T>): Promise<T> {
  const source = await openSource(input);
  try {
    return await use(source);
  } finally {
    await source.close();
  }
}
