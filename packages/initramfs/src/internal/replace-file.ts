import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";

import { InitramfsError } from "../error.ts";

/**
 * Lets `write` make a file beside the wanted one and puts it in place when it is complete, else removes it. A device or a pipe
 * is given the content, and a link leads to the place: a file instead of /dev/null would be the end of it.
 */
export async function replaceFile<T>(path: string, write: (temporary: string) => Promise<T>): Promise<T> {
  // Two of one process differ in time; whoever takes the name all the same is refused by the system.
  const target = await realpath(path).catch(() => path);
  const temporary = `${target}.${process.pid}.${process.hrtime.bigint().toString(36)}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const result = await write(temporary);
    if (await isSpecial(target)) {
      await pipeline(createReadStream(temporary), createWriteStream(target));
      await rm(temporary);
    } else await rename(temporary, target);
    return result;
  } catch (error) {
    await rm(temporary, { force: true });
    throw writeError(path, error);
  }
}

async function isSpecial(path: string): Promise<boolean> {
  const there = await stat(path).catch(() => undefined);
  return there !== undefined && !there.isFile() && !there.isDirectory();
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
