import type { IncomingMessage, ServerResponse } from "node:http";
import { parseRange } from "../http-range.ts";
import type { OpenFile } from "../virtual-files.ts";
import { plain, type HttpAnswer } from "./answer.ts";

const PIECE = 256 * 1024;

/** Wait until the socket takes more, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

/**
 * Send a part of a file; resolves with the bytes handed to the socket, fewer when the client hung up. The
 * next piece is read while the last one goes out, so that only a disk slower than the client counts as waiting.
 */
async function stream(
  file: OpenFile,
  part: { readonly start: number; readonly end: number },
  response: ServerResponse,
): Promise<{ bytes: number; waited: number }> {
  const { start, end } = part;
  const read = (at: number): Promise<Uint8Array> => file.read(at, Math.min(PIECE, end - at + 1));
  let at = start;
  let waited = 0;
  let next = at <= end ? read(at) : undefined;
  while (next && !response.destroyed) {
    const began = performance.now();
    const bytes = await next;
    waited += performance.now() - began;
    at += bytes.length;
    next = at <= end ? read(at) : undefined;
    // A failure is met when its turn comes.
    next?.catch(() => undefined);
    if (!response.write(bytes) && !response.destroyed) await drained(response);
  }
  // The file must not be closed under a read.
  await next?.catch(() => undefined);
  return { bytes: at - start, waited };
}

/** Answer with a file: the whole or a range, its head, its exact length. `began` is when the request came. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: OpenFile,
  options: { readonly type: string; readonly began: number },
): Promise<HttpAnswer> {
  const range = parseRange(request.headers.range, file.size);
  if (range === "unsatisfiable") {
    return plain(response, 416, "Range not satisfiable", { "content-range": `bytes */${file.size}` });
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  const status = range ? 206 : 200;
  response.writeHead(status, {
    "content-type": options.type,
    "content-length": end - start + 1,
    "accept-ranges": "bytes",
    ...(range ? { "content-range": `bytes ${start}-${end}/${file.size}` } : {}),
  });
  const until = performance.now() - options.began;
  if (request.method === "HEAD") {
    response.end();
    return { status, bytes: 0, serverMs: until };
  }
  const { bytes, waited } = await stream(file, { start, end }, response);
  response.end();
  return { status, bytes, whole: bytes === file.size, serverMs: until + waited };
}
