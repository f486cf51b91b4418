import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Socket } from "node:net";
import type { PxeEventBody } from "./events.ts";
import {
  plain,
  readBody,
  refuse,
  type HttpAnswer,
  type HttpExchange,
  type HttpHandler,
} from "./http/answer.ts";
import { refusals } from "./http/refusals.ts";
import { sendFile } from "./http/send-file.ts";
import { HOST_NETWORK, type Network } from "./internal/network.ts";
import { pieceCache } from "./internal/read-ahead.ts";
import { fileKey, openVirtual, type VirtualFiles } from "./virtual-files.ts";

/** How to serve files by HTTP. */
export interface HttpServerOptions {
  /** The one address to listen on. */
  readonly address: string;
  /** 8080 unless told; 0 picks a free one. */
  readonly port?: number | undefined;
  readonly files: VirtualFiles;
  /** Asked before the files. */
  readonly handler?: HttpHandler | undefined;
  /** PEM texts; with them it speaks HTTPS, and only that. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
  readonly limits?: HttpLimits | undefined;
  readonly onEvent?: ((event: PxeEventBody) => void) | undefined;
  /** Whose ports: this machine's unless told; see `openStation`. */
  readonly network?: Network | undefined;
}

/** What strangers may take. */
export interface HttpLimits {
  /** Open connections of one address, 64 unless told; a boot program opens a few. */
  readonly perClient?: number | undefined;
  /** Open connections in total, 4096 unless told. */
  readonly total?: number | undefined;
  /** A connection on which nothing moves is cut after this long; 60 s unless told. */
  readonly idleMs?: number | undefined;
  /** The head of a request must have come by then; 20 s unless told. */
  readonly headMs?: number | undefined;
}

/** A running HTTP server; disposing it cuts its connections. */
export interface HttpServer extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** Open connections. */
  connections(): number;
  close(): Promise<void>;
}

/** A booted machine's report may have this many bytes. */
const MOST_BODY = 64 * 1024;
/** Longer heads of requests are refused; boot programs send a few hundred bytes. */
const MOST_HEAD = 8 * 1024;

/** What is kept of files that were sent lately. */
const READ_MEMORY = 64 << 20;

const TYPES: Readonly<Record<string, string>> = { ipxe: "text/plain", json: "application/json" };

/**
 * Serve files by HTTP with HEAD, byte ranges and exact lengths, read from disk piece by piece; and take
 * `POST /v1/booted` from systems that have come up. What one client does wrong is told once.
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
  const { address, files, handler, tls } = options;
  const emit = options.onEvent ?? (() => undefined);
  const { perClient = 64, total = 4096, idleMs = 60_000, headMs = 20_000 } = options.limits ?? {};
  const refused = refusals(emit, () => performance.now());
  const cache = pieceCache(READ_MEMORY);

  const answer = async (exchange: HttpExchange, began: number): Promise<HttpAnswer> => {
    const { request, response, path, query, client } = exchange;
    if (path === "/v1/booted") {
      if (request.method !== "POST") return plain(response, 405, "Use POST", { allow: "POST" });
      const body = await readBody(exchange, MOST_BODY);
      if (body === undefined) return refuse(response, 413, "Too long");
      emit({ kind: "booted", client, body });
      return plain(response, 204, "");
    }
    const handled = await handler?.(exchange);
    if (handled) return handled;
    if (request.method !== "GET" && request.method !== "HEAD") {
      return plain(response, 405, "Use GET or HEAD", { allow: "GET, HEAD", connection: "close" });
    }
    const key = fileKey(path);
    const entry = key === undefined ? undefined : files.get(key);
    if (!entry) return plain(response, 404, "Not found");
    const file = await openVirtual(entry, { via: "http", client, query });
    if (!file) return plain(response, 404, "There is nothing for this machine");
    try {
      const type = TYPES[key?.split(".").at(-1) ?? ""] ?? "application/octet-stream";
      const result = await sendFile(request, response, file, { type, began, cache });
      if (entry.role !== undefined && result.whole === true) {
        const { bytes, serverMs = 0 } = result;
        emit({
          kind: entry.role,
          via: "http",
          client,
          bytes,
          milliseconds: performance.now() - began,
          serverMs,
        });
      }
      return result;
    } finally {
      await file.close();
    }
  };

  /** One line for what was served; for what was refused one in a while. */
  const log = (
    request: IncomingMessage,
    client: string,
    path: string,
    answer: HttpAnswer,
    began: number,
  ): void => {
    const { status, bytes, detail } = answer;
    const method = request.method ?? "";
    if (answer.silent === true) return;
    if (status === 404 && !refused.miss(client)) return;
    const bad = status >= 400 && status < 500 && status !== 404 && status !== 416;
    // The first is told with its path; the same again is only counted.
    if (bad && !refused.refuse(client, `${STATUS_CODES[status] ?? status} (${status})`)) return;
    const milliseconds = performance.now() - began;
    const why = detail === undefined ? {} : { detail };
    emit({ kind: "http", client, method, path, milliseconds, status, bytes, ...why });
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const began = performance.now();
    const client = (request.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    // A client that takes us for a proxy sends the whole address (RFC 9112 3.2.2).
    const target = (request.url ?? "/").replace(/^https?:\/\/[^/?]*/i, "");
    const [rawPath = "", rawQuery = ""] = target.split("?", 2);
    const path = decode(rawPath || "/");
    let result: HttpAnswer;
    try {
      result =
        path === undefined
          ? refuse(response, 400, "Bad request")
          : await answer({ request, response, path, query: new URLSearchParams(rawQuery), client }, began);
    } catch (error) {
      const detail = (error as Error).message;
      // After the head is out only a cut connection tells the client that the body is not whole.
      if (response.headersSent) {
        response.destroy();
        result = { status: 500, bytes: 0, detail };
      } else
        // What is wrong may name files, which are nobody's business out there.
        result = {
          ...plain(response, 500, "Cannot answer; the server's log says why", { connection: "close" }),
          detail,
        };
    }
    log(request, client, path ?? "", result, began);
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void handle(request, response);
  const settings = {
    maxHeaderSize: MOST_HEAD,
    headersTimeout: headMs,
    // Bodies may be long; `timeout` below sees to those that stand still.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.min(5000, headMs),
  };
  const server: Server = tls
    ? createSecureServer({ ...settings, ...tls }, listener)
    : createServer(settings, listener);
  // An upload may ask first whether it is welcome: the handler says so when it is.
  server.on("checkContinue", listener);
  // Firmware is slow and pauses between requests; a herd of machines connects at the same moment.
  server.keepAliveTimeout = Math.min(30_000, idleMs);
  server.timeout = idleMs;
  server.maxConnections = total;

  const open = new Map<string, number>();
  server.on("connection", (socket: Socket) => {
    const client = (socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const count = (open.get(client) ?? 0) + 1;
    open.set(client, count);
    socket.once("close", () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
    });
    if (count <= perClient) return;
    socket.destroy();
    refused.refuse(client, `more than ${perClient} connections at a time`);
  });
  server.on("drop", (data) => {
    refused.refuse(data?.remoteAddress ?? "a client", `more than ${total} connections in total`);
  });
  server.on("clientError", (error: Error & { code?: string }, socket) => {
    const status = CLIENT_ERRORS[error.code ?? ""] ?? 400;
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const client = "remoteAddress" in socket ? String(socket.remoteAddress) : "a client";
    refused.refuse(client, `${STATUS_CODES[status]} (${status})`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\n\r\n`);
    socket.once("finish", () => socket.destroy());
  });
  const network = options.network ?? HOST_NETWORK;
  const { port, close } = await network.listenHttp(server, { address, port: options.port ?? 8080 });
  return {
    address,
    port,
    connections: () => [...open.values()].reduce((sum, count) => sum + count, 0),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const CLIENT_ERRORS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

function decode(path: string): string | undefined {
  try {
    const decoded = decodeURIComponent(path);
    return decoded.includes("\0") ? undefined : decoded;
  } catch {
    return undefined;
  }
}
