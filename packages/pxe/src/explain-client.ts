import { PxeError } from "./errors.ts";
import { listInterfaces } from "./interfaces.ts";
import type { Explanation } from "./watch/explain.ts";

/** How long a server may take that runs on this machine, mostly. */
const PATIENCE_MS = 5000;

/** The running server: the one that was named, else the first that answers on an address of this machine. */
async function findServer(server: string | undefined, port: number): Promise<string> {
  if (server !== undefined) return server.replace(/\/$/, "");
  const addresses = new Set(["127.0.0.1", ...(await listInterfaces()).map(({ address }) => address)]);
  const candidates = [...addresses].map(async (address) => {
    const base = `http://${address}:${port}`;
    const response = await fetch(`${base}/v1/server`, { signal: AbortSignal.timeout(PATIENCE_MS) });
    const about = (await response.json()) as { program?: string };
    if (about.program !== "pxe-serve") throw new Error("another program");
    return base;
  });
  try {
    return await Promise.any(candidates);
  } catch (cause) {
    throw new PxeError("PXE_REQUEST_FAILED", `No pxe-serve answers on port ${port} of this machine`, {
      cause,
      hint: "name it: --server http://10.77.0.1:8080",
    });
  }
}

/** Ask a running server why a machine was or was not served. */
export async function askExplanation(options: {
  readonly mac: string;
  readonly server?: string | undefined;
  readonly port: number;
}): Promise<Explanation> {
  const base = await findServer(options.server, options.port);
  const url = `${base}/v1/machines/${options.mac.replaceAll(":", "-")}/explain`;
  const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) }).catch((error: Error) => {
    // What fetch says by itself is that it failed.
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new PxeError("PXE_REQUEST_FAILED", `Cannot reach ${base}: ${reason}`, {
      cause: error,
      hint: "is pxe-serve running there? An address looks like http://10.77.0.1:8080; a certificate of your own is trusted by NODE_EXTRA_CA_CERTS",
    });
  });
  const answer = (await response.json().catch(() => undefined)) as Explanation | undefined;
  if (response.ok && Array.isArray(answer?.sentences)) return answer;
  throw new PxeError("PXE_REQUEST_FAILED", `${url} answered with status ${response.status}`, {
    hint: "another program may answer there; name the server by --server",
  });
}
