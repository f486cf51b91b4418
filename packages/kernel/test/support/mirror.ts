import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A mirror of kernel.org on this machine, with the layout and the range requests of a real one, and its faults. */
export interface Mirror {
  readonly url: string;
  /** What is served; a test may change it. A `redirect` leads to another path. */
  readonly files: Record<string, string | { readonly path: string } | { readonly redirect: string }>;
  /** What was asked for, as `METHOD path range`. */
  readonly requests: string[];
  /** The If-Range header of each request that had one. */
  readonly conditions: string[];
  /** Breaks the connection once, after so many bytes of a body. */
  breakAfter: number | undefined;
  /** Stops sending once, after so many bytes of a body, and keeps the connection open. */
  stallAfter: number | undefined;
  /** Cuts each body here and ends it as if that were all. */
  cutAt: number | undefined;
  /** Answers with this status so many times. */
  failures: { readonly status: number; times: number } | undefined;
  /** Ignores Range, as some servers do. */
  ignoreRange: boolean;
  etag: string | undefined;
}

export async function startMirror(files: Mirror["files"]): Promise<Mirror> {
  const mirror: Mirror = {
    url: "",
    files,
    requests: [],
    conditions: [],
    breakAfter: undefined,
    stallAfter: undefined,
    cutAt: undefined,
    failures: undefined,
    ignoreRange: false,
    etag: undefined,
  };
  const server = createServer((request, response) => void answer(mirror, request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(mirror, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pub` });
}

async function answer(mirror: Mirror, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const range = request.headers.range ?? "";
  const condition = request.headers["if-range"];
  mirror.requests.push(`${request.method} ${request.url} ${range}`.trim());
  if (condition !== undefined) mirror.conditions.push(condition as string);
  if (mirror.failures !== undefined && mirror.failures.times-- > 0) {
    response.writeHead(mirror.failures.status).end("busy");
    return;
  }
  const file = mirror.files[request.url ?? ""];
  if (file === undefined) response.writeHead(404).end("not found");
  else if (typeof file === "string") response.end(file);
  else if ("redirect" in file) response.writeHead(302, { location: file.redirect }).end();
  else
    await sendFile(
      mirror,
      file.path,
      condition === undefined || condition === mirror.etag ? range : "",
      response,
    );
}

async function sendFile(
  mirror: Mirror,
  path: string,
  range: string,
  response: ServerResponse,
): Promise<void> {
  const size = (await stat(path)).size;
  const start = mirror.ignoreRange ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
  if (start >= size) {
    response.writeHead(416, { "content-range": `bytes */${size}` }).end();
    return;
  }
  const end = Math.min(mirror.cutAt ?? size, size) - 1;
  const etag = mirror.etag === undefined ? {} : { etag: mirror.etag };
  const headers = { "content-length": end + 1 - start, "accept-ranges": "bytes", ...etag };
  if (start > 0) response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${end}/${size}` });
  else response.writeHead(200, headers);
  let sent = 0;
  const body = createReadStream(path, { start, end, highWaterMark: 16_384 });
  body.on("data", (chunk) => {
    sent += chunk.length;
    if (mirror.stallAfter !== undefined && sent > mirror.stallAfter) {
      mirror.stallAfter = undefined;
      body.unpipe(response);
      body.destroy();
    } else if (mirror.breakAfter !== undefined && sent > mirror.breakAfter) {
      mirror.breakAfter = undefined;
      body.destroy();
      // What was sent before is to arrive.
      setTimeout(() => response.destroy(), 30);
    }
  });
  body.pipe(response);
}
