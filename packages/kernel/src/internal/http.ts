import type { KernelContext } from "../context.ts";
import { KernelError } from "../errors.ts";
import { throwIfAborted } from "./process.ts";

/** How patient a transfer is. */
export interface Patience {
  /** Milliseconds without a byte after which a connection counts as dead. */
  readonly stall: number;
  /** Milliseconds before the second try; each further one waits twice as long. */
  readonly backOff: number;
  /** Tries in a row that bring nothing new. */
  readonly attempts: number;
}

export const PATIENCE: Patience = { stall: 30_000, backOff: 500, attempts: 4 };

/** An answer, and the clock that ends it when it stalls: `beat` says that bytes came, `end` stops the clock. */
export interface Answer {
  readonly response: Response;
  readonly beat: () => void;
  readonly end: () => void;
}

/** Fetches a small text, at most a few megabytes. */
export async function fetchText(url: string, context: KernelContext, patience = PATIENCE): Promise<string> {
  const { response, beat, end } = await request(url, {}, context, patience);
  try {
    if (!response.ok) throw statusError(url, response.status);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of response.body ?? []) {
      beat();
      text += decoder.decode(chunk as Uint8Array, { stream: true });
    }
    return text + decoder.decode();
  } catch (error) {
    throw error instanceof KernelError ? error : unreachable(url, error, context);
  } finally {
    end();
  }
}

/** Asks for a URL. The connection is given up when no byte comes for a while. */
export async function request(
  url: string,
  headers: Record<string, string>,
  context: KernelContext,
  patience: Patience,
): Promise<Answer> {
  throwIfAborted(context.signal);
  if (context.offline === true) {
    throw new KernelError(
      "KERNEL_DOWNLOAD",
      `"${url}" is not in the cache, and the network is not to be used`,
      {
        hint: "Run it once without the offline option",
      },
    );
  }
  const stalled = new AbortController();
  const give = (): void => stalled.abort(new Error(`no byte came for ${patience.stall / 1000} s`));
  const timer = setTimeout(give, patience.stall);
  const signals = [stalled.signal, ...(context.signal === undefined ? [] : [context.signal])];
  try {
    // identity: a length and a range must mean the bytes of the file.
    const response = await fetch(url, {
      headers: { "accept-encoding": "identity", ...headers },
      signal: AbortSignal.any(signals),
    });
    return { response, beat: () => void timer.refresh(), end: () => clearTimeout(timer) };
  } catch (error) {
    clearTimeout(timer);
    throw unreachable(url, error, context);
  }
}

function unreachable(url: string, error: unknown, context: KernelContext): KernelError {
  throwIfAborted(context.signal);
  return new KernelError("KERNEL_DOWNLOAD", `Cannot reach "${url}": ${reasonOf(error)}`, {
    cause: error,
    hint: "Check the network, or name another mirror",
  });
}

/** What fetch has to say: the reason is in the cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

export function statusError(url: string, status: number): KernelError {
  return new KernelError("KERNEL_DOWNLOAD", `"${url}" answers with status ${status}`, {
    hint: status === 404 ? "Check the version, or name another mirror" : undefined,
  });
}
