import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { PxeEventBody } from "./events.ts";
import { parseRange } from "./http-range.ts";
import { HOST_NETWORK, type Network } from "./internal/network.ts";
import { fileKey, openVirtual, type OpenFile, type VirtualFiles } from "./virtual-files.ts";

/** How to serve files by HTTP. */
export interface HttpServerOptions {
  /** The one address to listen on. */
  readonly address: string;
  /** 8080 unless told; 0 picks a free one. */
  readonly port?: number | undefined;
  readonly files: VirtualFiles;
  readonly onEvent?: ((event: PxeEventBody) => void) | undefined;
  /** Whose ports: this machine's unless told; see `openStation`. */
  readonly network?: Network | undefined;
}

/** A running HTTP server; disposing it cuts its connections. */
export interface HttpServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  close(): Promise<void>;
}

const PIECE = 256 * 1024;
/** A booted machine's report may have this many bytes. */
const MOST_BODY = 64 * 1024;

interface Answer {
  readonly status: number;
  readonly bytes: number;
  /** The whole of a boot artifact was sent. */
  readonly whole?: boolean;
}

function plain(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Answer {
  const body = Buffer.from(text === "" ? "" : `${text}\n`);
  response.writeHead(status, { ...headers, "content-type": "text/plain", "content-length": body.length });
  response.end(response.req.method === "HEAD" ? undefined : body);
  return { status, bytes: response.req.method === "HEAD" ? 0 : body.length };
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

/** Send a part of a file; resolves with the bytes handed to the socket, fewer when the client hung up. */
async function stream(file: OpenFile, start: number, end: number, response: ServerResponse): Promise<number> {
  let at = start;
  while (at <= end && !response.destroyed) {
    const bytes = await file.read(at, Math.min(PIECE, end - at + 1));
    at += bytes.length;
    if (!response.write(bytes) && !response.destroyed) {
      await drained(response);
    }
  }
  return at - start;
}

async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  file: OpenFile,
  type: string,
): Promise<Answer> {
  const range = parseRange(request.headers.range, file.size);
  if (range === "unsatisfiable") {
    return plain(response, 416, "Range not satisfiable", { "content-range": `bytes */${file.size}` });
  }
  const { start, end } = range ?? { start: 0, end: file.size - 1 };
  const status = range ? 206 : 200;
  response.writeHead(status, {
    "content-type": type,
    "content-length": end - start + 1,
    "accept-ranges": "bytes",
    ...(range ? { "content-range": `bytes ${start}-${end}/${file.size}` } : {}),
  });
  if (request.method === "HEAD") {
    response.end();
    return { status, bytes: 0 };
  }
  const bytes = await stream(file, start, end, response);
  response.end();
  return { status, bytes, whole: bytes === file.size };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MOST_BODY) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

const TYPES: Readonly<Record<string, string>> = { ipxe: "text/plain", json: "application/json" };

/**
 * Serve files by HTTP with HEAD, byte ranges and exact lengths, read from disk piece by piece; and take
 * `POST /v1/booted` from systems that have come up.
 *
 * @example
 * ```ts
 * import { startHttpServer } from "@justenough/pxe";
 * const files = new Map([["hello.txt", { kind: "bytes", bytes: new TextEncoder().encode("hello\n") } as const]]);
 * const server = await startHttpServer({ address: "127.0.0.1", port: 0, files });
 * console.log(await (await fetch(`http://127.0.0.1:${server.port}/hello.txt`)).text());
 * await server.close();
 * ```
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { address, files } = options;
  const emit = options.onEvent ?? (() => undefined);

  const answer = async (
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    client: string,
  ): Promise<Answer> => {
    if (path === "/v1/booted") {
      if (request.method !== "POST") return plain(response, 405, "Use POST", { allow: "POST" });
      const body = await readBody(request);
      if (body === undefined) return plain(response, 413, "Too long", { connection: "close" });
      emit({ kind: "booted", client, body });
      return plain(response, 204, "");
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(response, 405, "Use GET or HEAD", { allow: "GET, HEAD" });
    }
    const key = fileKey(path);
    const entry = key === undefined ? undefined : files.get(key);
    if (!entry) return plain(response, 404, "Not found");
    const began = performance.now();
    const file = await openVirtual(entry, { via: "http", client });
    try {
      const type = TYPES[key?.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      const result = await sendFile(request, response, file, type);
      if (entry.role !== undefined && result.whole === true) {
        const milliseconds = performance.now() - began;
        emit({ kind: entry.role, via: "http", client, bytes: result.bytes, milliseconds });
      }
      return result;
    } finally {
      await file.close();
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const path = decode(request.url ?? "/");
    let result: Answer;
    try {
      result =
        path === undefined
          ? plain(response, 400, "Bad request")
          : await answer(request, response, path, client);
    } catch (error) {
      // After the head is out only a cut connection tells the client that the body is not whole.
      if (response.headersSent) {
        response.destroy();
        result = { status: 500, bytes: 0 };
      } else result = plain(response, 500, `Cannot read the file: ${(error as Error).message}`);
    }
    const milliseconds = performance.now() - began;
    emit({
      kind: "http",
      client,
      method: request.method ?? "",
      path: path ?? "",
      milliseconds,
      ...pick(result),
    });
  };

  const server = createServer((request, response) => void handle(request, response));
  // Firmware is slow and pauses between requests; a herd of machines connects at the same moment.
  server.keepAliveTimeout = 30_000;
  const network = options.network ?? HOST_NETWORK;
  const { port, close } = await network.listenHttp(server, { address, port: options.port ?? 8080 });
  server.on("clientError", (_error, socket) => socket.destroy());

  return { address, port, close, [Symbol.asyncDispose]: close };
}

function pick(answer: Answer): { status: number; bytes: number } {
  return { status: answer.status, bytes: answer.bytes };
}

function decode(url: string): string | undefined {
  try {
    return decodeURIComponent(url.split("?", 1)[0] ?? "/");
  } catch {
    return undefined;
  }
}
