import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { setTimeout as sleep } from "node:timers/promises";
import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { throwIfAborted } from "./process.ts";

const ATTEMPTS = 4;

/** Fetches a small text, at most a few megabytes. */
export async function fetchText(url: string, context: KernelContext): Promise<string> {
  const response = await request(url, {}, context);
  if (!response.ok) throw statusError(url, response.status);
  return response.text();
}

/**
 * Downloads a file and checks its sha256. What an earlier try left in `PATH.part` is continued with a range request
 * (RFC 9110, section 14), within this call after a broken connection and in a later call too. A file with the wrong
 * sum is removed.
 */
export async function download(
  url: string,
  path: string,
  sha256: string,
  context: KernelContext,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  for (let attempt = 1; ; attempt++) {
    try {
      await continueDownload(url, part, context);
      break;
    } catch (error) {
      throwIfAborted(context.signal);
      if (error instanceof KernelError) throw error;
      if (attempt === ATTEMPTS) {
        throw new KernelError("KERNEL_DOWNLOAD", `The download of "${url}" broke off ${ATTEMPTS} times`, {
          cause: error,
          hint: "Run it again: it goes on where it stopped",
        });
      }
      await sleep(200 * attempt);
    }
  }
  const actual = await sha256File(part, context.signal);
  if (actual !== sha256) {
    await rm(part, { force: true });
    throw new KernelError(
      "KERNEL_CHECKSUM",
      `"${url}" has the sha256 ${actual}, but the published one is ${sha256}`,
      { hint: "The file was removed; try again, and if it stays so do not trust this mirror" },
    );
  }
  await rename(part, path);
}

async function continueDownload(url: string, part: string, context: KernelContext): Promise<void> {
  const have = (await stat(part).catch(() => undefined))?.size ?? 0;
  const response = await request(url, have > 0 ? { range: `bytes=${have}-` } : {}, context);
  // 416: nothing lies behind what we have, so it is complete; the sum will tell.
  if (response.status === 416 && have > 0) return;
  if (!response.ok || response.body === null) throw statusError(url, response.status);
  const resumed = response.status === 206;
  let done = resumed ? have : 0;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  const total = Number.isNaN(length) ? undefined : done + length;
  let told = -1;
  const message = basename(url);
  const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
  await pipeline(
    body,
    async function* count(chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        done += chunk.length;
        if (told < 0 || done - told > 1_000_000 || done === total) {
          told = done;
          context.onProgress?.({ phase: "download", done, total, unit: "bytes", message });
        }
        yield chunk;
      }
    },
    createWriteStream(part, { flags: resumed ? "a" : "w" }),
  );
}

async function request(
  url: string,
  headers: Record<string, string>,
  context: KernelContext,
): Promise<Response> {
  try {
    // identity: a length and a range must mean the bytes of the file.
    return await fetch(url, {
      headers: { "accept-encoding": "identity", ...headers },
      signal: context.signal ?? null,
    });
  } catch (error) {
    throwIfAborted(context.signal);
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new KernelError("KERNEL_DOWNLOAD", `Cannot reach "${url}": ${reason}`, {
      cause: error,
      hint: "Check the network, or name another mirror",
    });
  }
}

function statusError(url: string, status: number): KernelError {
  return new KernelError("KERNEL_DOWNLOAD", `"${url}" answers with status ${status}`, {
    hint: status === 404 ? "Check the version, or name another mirror" : undefined,
  });
}

/** The sha256 of a file, in hexadecimal. */
export async function sha256File(path: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    throwIfAborted(signal);
    hash.update(chunk as Uint8Array);
  }
  return hash.digest("hex");
}
