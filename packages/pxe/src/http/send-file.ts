import type { IncomingMessage, ServerResponse } from "node:http";
import { parseRange } from "../http-range.ts";
import type { PieceCache } from "../internal/read-ahead.ts";
import type { OpenFile } from "../virtual-files.ts";
import { plain, type HttpAnswer } from "./answer.ts";

const PIECE = 512 * 1024;

/** The piece that begins at `at` and goes no further than `end`, both included. */
type ReadPiece = (at: number, end: number) => Promise<Uint8Array>;

/** A herd boots the same kernel: what one machine was sent of a file on disk is in memory for the next. */
function pieceReader(file: OpenFile, cache: PieceCache): ReadPiece {
  const { identity } = file;
  if (identity === undefined) return (at, end) => file.read(at, Math.min(PIECE, end - at + 1));
  return async (at, end) => {
    const index = Math.floor(at / PIECE);
    const key = `${identity} ${index}`;
    const start = index * PIECE;
    const piece = cache.get(key, false) ?? (await cache.load(key, () => file.read(start, PIECE)));
    return piece.subarray(at - start, end + 1 - start);
  };
}

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
  read: ReadPiece,
  part: { readonly start: number; readonly end: number },
  response: ServerResponse,
): Promise<{ bytes: number; waited: number }> {
  const { start, end } = part;
  let at = start;
  let waited = 0;
  let next = at <= end ? read(at, end) : undefined;
  while (next && !response.destroyed) {
    const began = performance.now();
    const bytes = await next;
    waited += performance.now() - began;
    at += bytes.length;
    next = at <= end ? read(at, end) : undefined;
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
  options: { readonly type: string; readonly began: number; readonly cache: PieceCache },
): Promise<HttpAnswer> {
  const { method, headers } = request;
  // Ranges are of GET alone, and no file has the validator that If-Range wants to see (RFC 9110 14.2, 13.1.5).
  const ranges = method === "GET" && headers["if-range"] === undefined;
  const range = ranges ? parseRange(headers.range, file.size) : undefined;
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
  if (method === "HEAD") {
    response.end();
    return { status, bytes: 0, serverMs: until };
  }
  const { bytes, waited } = await stream(pieceReader(file, options.cache), { start, end }, response);
  response.end();
  return { status, bytes, whole: bytes === file.size, serverMs: until + waited };
}
