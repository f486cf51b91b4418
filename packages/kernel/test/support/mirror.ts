import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** A mirror of kernel.org on this machine, with the layout and the range requests of a real one. */
export interface Mirror {
  readonly url: string;
  /** What was asked for, as `METHOD path range`. */
  readonly requests: string[];
  /** Breaks the connection once, after so many bytes of a body. */
  breakAfter: number | undefined;
}

export async function startMirror(
  files: Readonly<Record<string, string | { readonly path: string }>>,
): Promise<Mirror> {
  const mirror: Mirror = { url: "", requests: [], breakAfter: undefined };
  const server = createServer((request, response) => {
    void (async () => {
      const range = request.headers.range ?? "";
      mirror.requests.push(`${request.method} ${request.url} ${range}`.trim());
      const file = files[request.url ?? ""];
      if (file === undefined) {
        response.writeHead(404).end("not found");
        return;
      }
      if (typeof file === "string") {
        response.end(file);
        return;
      }
      const size = (await stat(file.path)).size;
      const start = Number(/^bytes=(\d+)-$/.exec(range)?.[1] ?? 0);
      if (start >= size) {
        response.writeHead(416, { "content-range": `bytes */${size}` }).end();
        return;
      }
      const headers = { "content-length": size - start, "accept-ranges": "bytes" };
      if (start > 0)
        response.writeHead(206, { ...headers, "content-range": `bytes ${start}-${size - 1}/${size}` });
      else response.writeHead(200, headers);
      let sent = 0;
      const body = createReadStream(file.path, { start });
      body.on("data", (chunk) => {
        sent += chunk.length;
        if (mirror.breakAfter === undefined || sent <= mirror.breakAfter) return;
        mirror.breakAfter = undefined;
        body.destroy();
        response.destroy();
      });
      body.pipe(response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(mirror, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pub` });
}
