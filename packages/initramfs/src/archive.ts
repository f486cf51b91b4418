import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { Readable, Transform } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";

import { CpioError, type CpioEntry, IDENTIFY_BYTES, identifyFormat, unpackCpio } from "@justenough/cpio";

import { InitramfsError } from "./error.ts";

/**
 * Reads the entries of an image: plain, gzip or zstd, one compressed stream. Plain segments that follow each
 * other are read as one sequence.
 *
 * @throws {InitramfsError} for what is no such image
 */
export async function* readInitramfs(path: string): AsyncGenerator<CpioEntry, void, undefined> {
  const format = identifyFormat(await readHead(path));
  const source = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    yield* unpackCpio(unpacked(source, format, path));
  } catch (error) {
    if (error instanceof InitramfsError) throw error;
    const { message, hint } = error as CpioError;
    throw new InitramfsError("INITRAMFS_FORMAT", `Cannot read the image "${path}": ${message}`, {
      cause: error,
      hint,
    });
  } finally {
    source.destroy();
  }
}

function unpacked(source: Readable, format: ReturnType<typeof identifyFormat>, path: string): Readable {
  switch (format) {
    case "newc":
    case "crc":
      return source;
    case "gzip":
      return pipe(source, createGunzip());
    case "zstd":
      return pipe(source, createZstdDecompress());
    default:
      throw new InitramfsError(
        "INITRAMFS_FORMAT",
        `"${path}" is ${format === undefined ? "no image that is known here" : `in the format ${format}`}, wanted cpio, gzip or zstd`,
        format === "xz" || format === "lz4" || format === "bzip2" || format === "lzma"
          ? { hint: `Unpack it first: ${format} -dc ${path} > image.cpio` }
          : {},
      );
  }
}

function pipe(source: Readable, to: Transform): Readable {
  source.on("error", (error) => to.destroy(error));
  source.pipe(to);
  return to;
}

async function readHead(path: string): Promise<Uint8Array> {
  try {
    await using file = await open(path);
    const { bytesRead, buffer } = await file.read(new Uint8Array(IDENTIFY_BYTES), 0, IDENTIFY_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "it does not exist" : message;
    throw new InitramfsError("INITRAMFS_READ", `Cannot read the image "${path}": ${reason}`, {
      cause: error,
    });
  }
}
