import { mkdir, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";

import { InitramfsError } from "../error.ts";

/** Lets `write` make a file beside the wanted one and puts it in place when it is complete, else removes it. */
export async function replaceFile<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  // Two of one process differ in time; whoever takes the name all the same is refused by the system.
  const temporary = `${path}.${process.pid}.${process.hrtime.bigint().toString(36)}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const result = await write(temporary);
    await rename(temporary, path);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(path, error);
  }
}

function writeError(path: string, error: unknown): unknown {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  if (error instanceof InitramfsError || syscall === undefined) return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new InitramfsError("INITRAMFS_NO_SPACE", `Cannot write "${path}": no space left on the disk`, {
      cause: error,
      hint: "Free some space, or choose another place; nothing half-written was left",
    });
  }
  return new InitramfsError("INITRAMFS_WRITE", `Cannot write "${path}": ${message}`, { cause: error });
}
