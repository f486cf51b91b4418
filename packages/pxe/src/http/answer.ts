import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";

/** What was answered, for the log. */
export interface HttpAnswer {
  readonly status: number;
  readonly bytes: number;
  /** The whole of a boot artifact was sent. */
  readonly whole?: boolean;
  /** How long the client waited for this server. */
  readonly serverMs?: number;
  /** What went wrong here. */
  readonly detail?: string;
  /** It is no line of the log: pages that a browser asks for all the time. */
  readonly silent?: boolean;
}

/** One request with what the server knows of it. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Decoded once, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly client: string;
}

/** Answers some paths; undefined leaves a request to others. */
export type HttpHandler = (exchange: HttpExchange) => Promise<HttpAnswer | undefined> | undefined;

type Headers = Readonly<Record<string, string>>;

function send(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Headers,
): HttpAnswer {
  const body = Buffer.from(text);
  response.writeHead(status, { ...headers, "content-type": type, "content-length": body.length });
  const head = response.req.method === "HEAD";
  response.end(head ? undefined : body);
  return { status, bytes: head ? 0 : body.length };
}

/** Answer with a line of text. */
export function plain(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Headers = {},
): HttpAnswer {
  return send(response, status, "text/plain", text === "" ? "" : `${text}\n`, headers);
}

/** Answer with any text. */
export function sendText(
  response: ServerResponse,
  type: string,
  text: string,
  headers: Headers = {},
): HttpAnswer {
  return { ...send(response, 200, type, text, { "cache-control": "no-store", ...headers }), silent: true };
}

/** Answer with JSON. */
export function json(response: ServerResponse, value: unknown, status = 200): HttpAnswer {
  const text = `${JSON.stringify(value, undefined, 2)}\n`;
  return {
    ...send(response, status, "application/json", text, { "cache-control": "no-store" }),
    silent: true,
  };
}

/**
 * Refuse a request whose body is not read: what is still coming is thrown away with the connection, after the
 * answer has gone out.
 */
export function refuse(response: ServerResponse, status: number, text: string): HttpAnswer {
  return plain(response, status, text, { connection: "close" });
}

/** Read a body as text; undefined when it is longer than `most` bytes. */
export async function readBody(
  { request, response }: HttpExchange,
  most: number,
): Promise<string | undefined> {
  goOn(request, response);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > most) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Tell a client that asked first (RFC 9110 10.1.1) that its body is wanted. */
export function goOn(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect?.toLowerCase() === "100-continue") response.writeContinue();
}

/** Compare secrets in the same time whatever they are. */
export function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** The secret that a request shows: `Authorization: Bearer …`, or `?token=…` for clients without headers. */
export function shownToken({ request, query }: HttpExchange): string {
  const header = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  return header ?? query.get("token") ?? "";
}
