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
import { PATIENCE, reasonOf, request, statusError } from "./http.ts";
import type { Patience } from "./http.ts";
import { withLock } from "./lock.ts";
import { waitsFor } from "./notice.ts";
import { throwIfAborted } from "./process.ts";
import { readJson, writeJson } from "./store.ts";

/** What a server said of the file that `PATH.part` is the beginning of. */
interface PartNote {
  readonly url: string;
  readonly validator: string | undefined;
}

/**
 * Downloads a file and checks its sha256. What an earlier try left in `PATH.part` is continued with a range request
 * (RFC 9110, section 14), within this call after a broken or stalled connection and in a later call too; If-Range
 * makes the server begin again when its file has changed. A file with the wrong sum is removed.
 */
export async function download(
  url: string,
  path: string,
  sha256: string,
  context: KernelContext,
  patience: Patience = PATIENCE,
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.part`;
  const note = `${part}.json`;
  // Two that write one part would mix their bytes.
  const onWait = waitsFor(`"${url}"`, context);
  await withLock(`${path}.lock`, { signal: context.signal, onWait }, async () => {
    // Hashing is cheap beside unpacking, and a disk that filled up or lost power may have spoilt what was whole.
    if ((await exists(path)) && (await sha256File(path, context.signal)) === sha256) return;
    // A part of an earlier call may be wrong: then the whole is fetched once more before anybody is blamed.
    let old = await exists(part);
    for (;;) {
      await complete(url, part, context, patience);
      const actual = await sha256File(part, context.signal);
      if (actual === sha256) break;
      await rm(part, { force: true });
      await rm(note, { force: true });
      if (!old) throw checksumError(url, actual, sha256);
      old = false;
    }
    await rename(part, path);
    await rm(note, { force: true });
  });
}

async function complete(
  url: string,
  part: string,
  context: KernelContext,
  patience: Patience,
): Promise<void> {
  let most = await sizeOf(part);
  let fruitless = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      await continueDownload(url, part, context, patience);
      return;
    } catch (error) {
      throwIfAborted(context.signal);
      // Without a cause it is an answer, and stays so.
      if (error instanceof KernelError && error.cause === undefined) throw error;
      const have = await sizeOf(part);
      fruitless = have > most ? 1 : fruitless + 1;
      most = Math.max(most, have);
      if (fruitless >= patience.attempts) {
        if (error instanceof KernelError) throw error;
        throw new KernelError(
          "KERNEL_DOWNLOAD",
          `The download of "${url}" broke off ${attempt} times: ${reasonOf(error)}`,
          { cause: error, hint: "Run it again: it goes on where it stopped" },
        );
      }
      await sleep(patience.backOff * 2 ** (fruitless - 1), undefined, { signal: context.signal }).catch(
        () => {},
      );
      throwIfAborted(context.signal);
    }
  }
}

async function continueDownload(
  url: string,
  part: string,
  context: KernelContext,
  patience: Patience,
): Promise<void> {
  const have = await sizeOf(part);
  const known = have > 0 ? await readJson<PartNote>(`${part}.json`) : undefined;
  const validator = known?.url === url ? known.validator : undefined;
  const { response, beat, end } = await request(
    url,
    {
      ...(have > 0 ? { range: `bytes=${have}-` } : {}),
      ...(validator === undefined ? {} : { "if-range": validator }),
    },
    context,
    patience,
  );
  try {
    // 416: nothing lies behind what we have, so it is complete; the sum will tell.
    if (response.status === 416 && have > 0) return;
    // What a server says about itself may pass.
    if (response.status >= 500 || response.status === 429) throw new Error(`status ${response.status}`);
    if (!response.ok || response.body === null) throw statusError(url, response.status);
    const range = response.headers.get("content-range") ?? "";
    if (response.status === 206 && !range.startsWith(`bytes ${have}-`)) {
      await rm(part, { force: true });
      throw new Error(`the server sent the range "${range}", not the one from ${have}`);
    }
    const resumed = response.status === 206;
    await writeJson(`${part}.json`, { url, validator: validatorOf(response.headers) });
    const body = Readable.fromWeb(response.body as ReadableStream<Uint8Array>);
    const length = Number(response.headers.get("content-length") ?? Number.NaN);
    const done = resumed ? have : 0;
    const total = Number.isNaN(length) ? undefined : done + length;
    await pipeline(
      body,
      counted({ done, total, message: basename(new URL(url).pathname) }, beat, context),
      createWriteStream(part, { flags: resumed ? "a" : "w" }),
    );
  } finally {
    end();
  }
}

/** Passes bytes on and tells how many there were. */
function counted(
  start: { readonly done: number; readonly total: number | undefined; readonly message: string },
  beat: () => void,
  context: KernelContext,
): (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array> {
  let { done } = start;
  let told = -1;
  return async function* count(chunks) {
    for await (const chunk of chunks) {
      beat();
      done += chunk.length;
      if (told < 0 || done - told > 1_000_000 || done === start.total) {
        told = done;
        context.onProgress?.({ ...start, phase: "download", done, unit: "bytes" });
      }
      yield chunk;
    }
  };
}

// A weak ETag does not promise the same bytes: RFC 9110, section 13.1.5, forbids it here.
function validatorOf(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null && !etag.startsWith("W/")) return etag;
  return headers.get("last-modified") ?? undefined;
}

function checksumError(url: string, actual: string, wanted: string): KernelError {
  return new KernelError(
    "KERNEL_CHECKSUM",
    `"${url}" has the sha256 ${actual}, but the published one is ${wanted}`,
    { hint: "The file was removed; try again, and if it stays so do not trust this mirror" },
  );
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
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
