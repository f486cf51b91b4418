import type { BootDesk } from "../boots/boot-desk.ts";
import type { QueuedPlan } from "../boots/queue.ts";
import type { UploadStore } from "../boots/upload-store.ts";
import { PxeError } from "../errors.ts";
import type { PxeEventBody } from "../events.ts";
import { readMac } from "../policy/facts.ts";
import { describeTarget } from "../policy/plan.ts";
import type { PolicyHolder } from "../policy/policy-holder.ts";
import { checkText, resolveBoot, resolveParams } from "../policy/read-policy.ts";
import { queueSchema, type QueueInput } from "../policy/schema.ts";
import type { LiveFeed } from "../watch/live.ts";
import { isAdmin } from "./admin.ts";
import {
  goOn,
  json,
  plain,
  readBody,
  refuse,
  sendText,
  shownToken,
  type HttpAnswer,
  type HttpExchange,
  type HttpHandler,
} from "./answer.ts";
import { PAGE, PAGE_HEADERS } from "./web-page.ts";

/** What the API shows and changes. */
export interface ApiParts {
  readonly desk: BootDesk;
  readonly policy: PolicyHolder;
  readonly uploads: UploadStore | undefined;
  readonly feed: LiveFeed;
  readonly adminToken: string | undefined;
  readonly emit: (event: PxeEventBody) => void;
  readonly server: () => unknown;
  readonly machines: () => readonly unknown[];
  readonly machine: (mac: string) => unknown;
  readonly boots: () => readonly unknown[];
  readonly explain: (mac: string) => unknown;
  readonly metrics: () => string;
}

const MOST_TEXT = 1 << 20;
const MOST_REPORT = 64 * 1024;
/** A plan of a queue is given up after this long unless told. */
const TIMEOUT_SECONDS = 300;

const methods = (response: HttpExchange["response"], ...allowed: string[]): HttpAnswer =>
  plain(response, 405, `Use ${allowed.join(" or ")}`, { allow: allowed.join(", "), connection: "close" });

function forbidden({ response }: HttpExchange): HttpAnswer {
  return refuse(response, 403, "Only from the server's own machine, or with the token of --api-token");
}

/** Turn what was sent into plans, with their files checked. */
async function plansOf(input: QueueInput, directory: string, fresh: () => string): Promise<QueuedPlan[]> {
  return Promise.all(
    input.map(async (entry) => ({
      run: entry.run ?? fresh(),
      plan: {
        target: await resolveBoot(entry.boot, directory),
        cmdline: entry.cmdline ?? "",
        params: await resolveParams(entry.params, directory),
      },
      timeoutMs: (entry.timeout ?? TIMEOUT_SECONDS) * 1000,
      fallback: entry.fallback ?? "next",
    })),
  );
}

/** A queue without its tokens: whoever may look need not be able to speak for the machine. */
export function queueView(desk: BootDesk, mac: string): object {
  const { plans, attempt, held } = desk.queue(mac);
  return {
    held,
    ...(attempt && attempt.state !== "over"
      ? {
          attempt: {
            run: attempt.run,
            state: attempt.state,
            since: attempt.since,
            plan: describeTarget(attempt.plan.target),
          },
        }
      : {}),
    plans: plans.map(({ run, plan, timeoutMs, fallback }) => ({
      run,
      boot: describeTarget(plan.target),
      cmdline: plan.cmdline,
      timeout: timeoutMs / 1000,
      fallback,
    })),
  };
}

async function onQueue(parts: ApiParts, exchange: HttpExchange, mac: string): Promise<HttpAnswer> {
  const { desk, policy } = parts;
  const { request, response } = exchange;
  if (request.method === "GET") return json(response, queueView(desk, mac));
  if (request.method !== "PUT" && request.method !== "DELETE")
    return methods(response, "GET", "PUT", "DELETE");
  if (!isAdmin(exchange, parts.adminToken)) return forbidden(exchange);
  let plans: QueuedPlan[] = [];
  if (request.method === "PUT") {
    const text = await readBody(exchange, MOST_TEXT);
    if (text === undefined) return refuse(response, 413, "Too long");
    let number = 0;
    const stem = `${new Date().toISOString().slice(0, 23).replaceAll(/[-:.]/g, "")}-${mac.replaceAll(":", "")}`;
    const { value } = checkText(text, "the queue that was sent", queueSchema);
    plans = await plansOf(value, policy.directory, () => `${stem}-${++number}`);
  }
  await desk.replaceQueue(mac, plans);
  return json(response, queueView(desk, mac));
}

async function onCall(
  parts: ApiParts,
  exchange: HttpExchange,
  kind: "booted" | "done",
  mac: string,
): Promise<HttpAnswer> {
  const { response, client } = exchange;
  if (exchange.request.method !== "POST") return methods(response, "POST");
  const body = await readBody(exchange, MOST_REPORT);
  if (body === undefined) return refuse(response, 413, "Too long");
  const attempt = await parts.desk.call(kind, mac, shownToken(exchange));
  if (!attempt) return refuse(response, 403, "This token is not that of the boot, or it was used before");
  const { run } = attempt;
  parts.emit(
    kind === "booted" ? { kind, client, mac, run, body } : { kind: "result", client, mac, run, body },
  );
  return plain(response, 204, "");
}

async function onUpload(
  parts: ApiParts,
  exchange: HttpExchange,
  run: string,
  name: string,
): Promise<HttpAnswer> {
  const { request, response, client } = exchange;
  // POST too: busybox's wget knows nothing else.
  if (request.method !== "PUT" && request.method !== "POST") return methods(response, "PUT", "POST");
  const owner = parts.desk.uploader(run, shownToken(exchange));
  if (!owner) return refuse(response, 403, "This token is not that of the run, or the run is over");
  if (!parts.uploads) return refuse(response, 404, "This server takes no files (--uploads)");
  const began = performance.now();
  const announced = Number(request.headers["content-length"] ?? 0);
  goOn(request, response);
  const result = await parts.uploads.put(run, name, request as AsyncIterable<Uint8Array>, announced);
  if (!result.ok) return refuse(response, result.status, result.reason);
  const { bytes } = result;
  const milliseconds = performance.now() - began;
  parts.emit({ kind: "upload", client, mac: owner.mac, run, file: name, bytes, milliseconds });
  return plain(response, 201, "Stored");
}

async function onPolicy(parts: ApiParts, exchange: HttpExchange): Promise<HttpAnswer> {
  const { request, response } = exchange;
  // Parameters may be secrets: not everybody who can look at machines reads them.
  if (!isAdmin(exchange, parts.adminToken)) return forbidden(exchange);
  if (request.method === "GET") {
    const text = parts.policy.text();
    return text === undefined
      ? plain(response, 404, "No policy file is served")
      : sendText(response, "application/yaml", text);
  }
  if (request.method !== "PUT") return methods(response, "GET", "PUT");
  const text = await readBody(exchange, MOST_TEXT);
  if (text === undefined) return refuse(response, 413, "Too long");
  await parts.policy.replace(text);
  return plain(response, 204, "");
}

/** What everybody may look at. */
function onView(parts: ApiParts, exchange: HttpExchange): HttpAnswer | undefined {
  const { request, response, path } = exchange;
  const views: Readonly<Record<string, () => HttpAnswer>> = {
    "/": () => sendText(response, "text/html; charset=utf-8", PAGE, PAGE_HEADERS),
    "/metrics": () => sendText(response, "text/plain; version=0.0.4", parts.metrics()),
    "/v1/server": () => json(response, parts.server()),
    "/v1/machines": () => json(response, parts.machines()),
    "/v1/boots": () => json(response, parts.boots()),
    "/v1/events": () =>
      request.method === "HEAD"
        ? sendText(response, "text/event-stream", "")
        : parts.feed.attach(response)
          ? { status: 200, bytes: 0, silent: true }
          : refuse(response, 503, "Too many readers"),
  };
  const view = Object.hasOwn(views, path) ? views[path] : undefined;
  if (!view) return undefined;
  return request.method === "GET" || request.method === "HEAD" ? view() : methods(response, "GET", "HEAD");
}

async function route(parts: ApiParts, exchange: HttpExchange): Promise<HttpAnswer | undefined> {
  const { path, response, request } = exchange;
  const [, version, noun, id = "", verb, ...rest] = path.split("/");
  if (version !== "v1") return undefined;
  if (noun === "policy" && verb === undefined && id === "") return onPolicy(parts, exchange);
  if (noun === "runs" && verb === "files" && rest.length === 1)
    return onUpload(parts, exchange, id, rest[0] ?? "");
  if (noun === "runs" && verb === "done" && rest.length === 0) {
    const owner = parts.desk.uploader(id, shownToken(exchange));
    if (!owner) return refuse(response, 403, "This token is not that of the run, or the run is over");
    return onCall(parts, exchange, "done", owner.mac);
  }
  if (noun !== "machines" || rest.length > 0) return undefined;
  const mac = readMac(id);
  if (mac === undefined) return plain(response, 404, "A machine is named by its MAC address");
  if (verb === "queue") return onQueue(parts, exchange, mac);
  if (verb === "booted") return onCall(parts, exchange, "booted", mac);
  if (request.method !== "GET" && request.method !== "HEAD") return methods(response, "GET", "HEAD");
  if (verb === "explain") return json(response, parts.explain(mac));
  if (verb !== undefined) return undefined;
  const machine = parts.machine(mac);
  return machine === undefined
    ? plain(response, 404, "This machine has not been seen")
    : json(response, machine);
}

/** The JSON API, the page and the metrics. What somebody sent that cannot be used is answered with 422. */
export function apiHandler(parts: ApiParts): HttpHandler {
  return async (exchange) => {
    const view = onView(parts, exchange);
    if (view) return view;
    try {
      return await route(parts, exchange);
    } catch (error) {
      if (!(error instanceof PxeError) || error.code === "PXE_STATE_FAILED") throw error;
      const { code, message, hint } = error;
      return json(exchange.response, { code, message, hint }, 422);
    }
  };
}
