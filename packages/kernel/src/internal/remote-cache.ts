import { connect } from "node:net";
import { KernelError } from "../errors.ts";

const PATIENCE = 5000;

/**
 * Makes sure that a server for ccaches answers: a Redis to PING, a web server to any request.
 *
 * @throws KernelError KERNEL_FARM.
 */
export async function checkRemoteCache(url: string, signal: AbortSignal | undefined): Promise<void> {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const what = `The remote cache "${url}"`;
  if (parsed?.protocol === "redis:" && parsed.hostname !== "") return checkRedis(parsed, what, signal);
  if (parsed?.protocol !== "http:") {
    throw new KernelError("KERNEL_FARM", `${what} is none that ccache knows`, {
      hint: "It is redis://HOST[:PORT] or http://HOST[:PORT]/PATH",
    });
  }
  const all = AbortSignal.any([AbortSignal.timeout(PATIENCE), ...(signal === undefined ? [] : [signal])]);
  await fetch(parsed, { signal: all }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause.message : error.message;
    throw new KernelError("KERNEL_FARM", `${what} does not answer: ${cause}`, { cause: error });
  });
}

async function checkRedis(url: URL, what: string, signal: AbortSignal | undefined): Promise<void> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 6379) });
  const answer = new Promise<string>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (data) => resolve(data.toString("latin1").trim()));
    socket.once("close", () => reject(new Error("it closed the connection")));
    socket.setTimeout(PATIENCE, () => reject(new Error(`nothing in ${PATIENCE / 1000} s`)));
    signal?.addEventListener("abort", () => reject(new Error("aborted")), { once: true });
  });
  const { username, password } = url;
  const login =
    password === "" ? "" : `AUTH ${[username, password].filter((word) => word !== "").join(" ")}\r\n`;
  socket.write(`${login}PING\r\n`);
  try {
    const text = await answer;
    if (/^\+(PONG|OK)/.test(text)) return;
    throw new Error(text.replace(/^-/, ""));
  } catch (error) {
    throw new KernelError("KERNEL_FARM", `${what} does not answer: ${(error as Error).message}`, {
      cause: error,
      hint: "Is redis-server running there, and does it listen to this machine (bind, protected-mode)?",
    });
  } finally {
    socket.destroy();
  }
}
