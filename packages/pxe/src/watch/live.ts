import type { ServerResponse } from "node:http";

/** Readers at a time; a browser opens one. */
const MOST_READERS = 64;
/** Changes are sent together this often. */
const EVERY_MS = 200;
/** A line now and then keeps the connection from counting as idle. */
const HEARTBEAT_MS = 15_000;
/** A reader that is this far behind is cut. */
const MOST_UNREAD = 4 << 20;

/** Sends changes to browsers as server-sent events (WHATWG HTML, 9.2). */
export interface LiveFeed {
  /** Take over an answer; false when there are too many readers. */
  attach(response: ServerResponse): boolean;
  /** A machine has changed. */
  touch(mac: string): void;
  close(): void;
}

/** Make a feed; `describe` gives what readers shall know of a machine, `all` the machines to begin with. */
export function liveFeed(source: { describe(mac: string): unknown; all(): readonly string[] }): LiveFeed {
  const readers = new Set<ServerResponse>();
  const changed = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  const send = (response: ServerResponse, text: string): void => {
    if (response.writableLength > MOST_UNREAD) response.destroy();
    else response.write(text);
  };
  const message = (macs: Iterable<string>): string => {
    const machines = [...macs].map((mac) => source.describe(mac)).filter((one) => one !== undefined);
    return `event: machines\ndata: ${JSON.stringify(machines)}\n\n`;
  };
  const flush = (): void => {
    timer = undefined;
    const text = message(changed);
    changed.clear();
    for (const response of readers) send(response, text);
  };
  const heartbeat = setInterval(() => {
    for (const response of readers) send(response, ": still here\n\n");
  }, HEARTBEAT_MS);
  heartbeat.unref();

  return {
    attach(response) {
      if (readers.size >= MOST_READERS) return false;
      response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
      response.write(`retry: 2000\n${message(source.all())}`);
      readers.add(response);
      response.once("close", () => readers.delete(response));
      return true;
    },
    touch(mac) {
      if (readers.size === 0) return;
      changed.add(mac);
      timer ??= setTimeout(flush, EVERY_MS);
    },
    close() {
      clearInterval(heartbeat);
      clearTimeout(timer);
      for (const response of readers) response.end();
    },
  };
}
