import { startReceive, stepReceive, type ReceiveOutcome, type ReceiveState } from "./tftp-receive.ts";
import { TFTP_ERROR, type TftpPacket } from "./tftp-packet.ts";
import type { TftpTerms } from "./tftp-options.ts";

/** What a client asks for. */
export interface TftpFetch {
  readonly file: string;
  /** Octet unless told. */
  readonly mode?: "octet" | "netascii" | undefined;
  /** Bytes a block; 512 unless told, and if the server knows no options. */
  readonly blksize?: number | undefined;
  /** Blocks a window; 1 unless told. */
  readonly windowsize?: number | undefined;
  /** Ask for the size. */
  readonly tsize?: boolean | undefined;
}

/** A read transfer, client side. */
export interface FetchState {
  readonly phase: "asking" | "data" | "over" | "done";
  readonly fetch: TftpFetch;
  /** The options as they were asked for. */
  readonly asked: ReadonlyMap<string, string>;
  /** The port that the server answers from; strangers' packets change nothing. */
  readonly port: number | undefined;
  /** The size, once the server has told it. */
  readonly size: number | undefined;
  readonly receive: ReceiveState | undefined;
  readonly timer: number;
  readonly deadline: number;
  readonly since: number;
  readonly retransmissions: number;
}

/** What happens to it: a packet, with the server's port that it came from, or time. */
export type FetchInput =
  | { readonly kind: "packet"; readonly packet: TftpPacket; readonly port: number }
  | { readonly kind: "timer" };

/** What the caller must do, in this order. */
export type FetchAction =
  /** Send to the server's well-known port. */
  | { readonly kind: "request"; readonly packet: TftpPacket }
  /** Send to this port of the server. */
  | { readonly kind: "send"; readonly packet: TftpPacket; readonly port: number }
  /** These bytes come next in the file; copy what is kept. */
  | { readonly kind: "store"; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly outcome: "complete" | "refused" | "failed"; readonly detail?: string };

/** The outcome of a step. */
export interface FetchOutcome {
  readonly state: FetchState;
  readonly actions: readonly FetchAction[];
}

const TIMER = { first: 500, ceiling: 2000 } as const;
const GIVE_UP_MS = 10_000;

const plain: TftpTerms = { blksize: 512, windowsize: 1, reply: new Map() };

/**
 * Begin to read a file (RFC 1350, 2347, 2348, 2349, 7440).
 *
 * @example
 * ```ts
 * import { startFetch, stepFetch } from "@justenough/pxe";
 * const asked = startFetch({ file: "hello.txt" }, 0);
 * const packet = { kind: "data", block: 1, bytes: new TextEncoder().encode("hello\n") } as const;
 * console.log(stepFetch(asked.state, { kind: "packet", packet, port: 4711 }, 1).actions);
 * ```
 */
export function startFetch(fetch: TftpFetch, now: number): FetchOutcome {
  const asked = new Map<string, string>();
  if (fetch.tsize === true) asked.set("tsize", "0");
  if (fetch.blksize !== undefined) asked.set("blksize", String(fetch.blksize));
  if (fetch.windowsize !== undefined) asked.set("windowsize", String(fetch.windowsize));
  const state: FetchState = {
    phase: "asking",
    fetch,
    asked,
    port: undefined,
    size: undefined,
    receive: undefined,
    timer: TIMER.first,
    deadline: now + TIMER.first,
    since: now,
    retransmissions: 0,
  };
  return { state, actions: [request(state)] };
}

function request(state: FetchState): FetchAction {
  const { file, mode = "octet" } = state.fetch;
  return { kind: "request", packet: { kind: "read", file, mode, options: state.asked } };
}

function end(state: FetchState, outcome: "refused" | "failed", detail: string): FetchOutcome {
  const over: FetchState = { ...state, phase: "done", deadline: Number.POSITIVE_INFINITY };
  return { state: over, actions: [{ kind: "end", outcome, detail }] };
}

/** What the server's OACK makes of the transfer; undefined when it says what was not asked for. */
function accepted(state: FetchState, options: ReadonlyMap<string, string>): TftpTerms | undefined {
  const within = (name: string, low: number, otherwise: number): number => {
    const text = options.get(name);
    if (text === undefined) return otherwise;
    const value = Number(text);
    return /^\d+$/.test(text) && value >= low && value <= Number(state.asked.get(name)) ? value : Number.NaN;
  };
  for (const name of options.keys()) if (!state.asked.has(name)) return undefined;
  const blksize = within("blksize", 8, 512);
  const windowsize = within("windowsize", 1, 1);
  if (Number.isNaN(blksize) || Number.isNaN(windowsize)) return undefined;
  return { blksize, windowsize, reply: new Map() };
}

/** Take over what the receiving engine says. */
function relay(state: FetchState, outcome: ReceiveOutcome): FetchOutcome {
  const { port = 0 } = state;
  const { phase, deadline, retransmissions } = outcome.state;
  const actions = outcome.actions.map((action): FetchAction => {
    switch (action.kind) {
      case "ack":
        return { kind: "send", port, packet: { kind: "ack", block: action.block & 0xffff } };
      case "error":
        return { kind: "send", port, packet: action };
      case "oack":
        throw new Error("A client sends no OACK");
      default:
        return action;
    }
  });
  return {
    state: {
      ...state,
      phase: phase === "waiting" ? "data" : phase,
      receive: outcome.state,
      deadline,
      retransmissions,
    },
    actions,
  };
}

function onFirst(state: FetchState, packet: TftpPacket, port: number, now: number): FetchOutcome {
  if (packet.kind === "error") {
    return end(state, "refused", `error ${packet.code} from the server: ${JSON.stringify(packet.message)}`);
  }
  const known = { ...state, port };
  if (packet.kind === "data" && packet.block === 1) {
    const start = startReceive(plain, now);
    return relay(known, stepReceive(start.state, { kind: "packet", packet }, now));
  }
  if (packet.kind !== "oack") return { state, actions: [] };
  const terms = accepted(state, packet.options);
  if (!terms) {
    const message = "Options that were not asked for";
    const refused = end(
      known,
      "failed",
      `the server's options do not fit: ${JSON.stringify([...packet.options])}`,
    );
    const error = { kind: "error", code: TFTP_ERROR.optionRefused, message } as const;
    return { state: refused.state, actions: [{ kind: "send", port, packet: error }, ...refused.actions] };
  }
  const size = packet.options.get("tsize");
  const sized = { ...known, size: size !== undefined && /^\d+$/.test(size) ? Number(size) : undefined };
  return relay(sized, startReceive(terms, now, "ack"));
}

/** One step of a client's transfer: pure, `now` in milliseconds on a clock that does not go back. */
export function stepFetch(state: FetchState, input: FetchInput, now: number): FetchOutcome {
  if (state.phase === "done") return { state, actions: [] };
  const { receive } = state;
  if (input.kind === "timer") {
    if (now < state.deadline) return { state, actions: [] };
    if (receive) return relay(state, stepReceive(receive, input, now));
    const quiet = now - state.since;
    if (quiet >= GIVE_UP_MS) return end(state, "failed", `no answer for ${(quiet / 1000).toFixed(1)} s`);
    const timer = Math.min(state.timer * 2, TIMER.ceiling);
    const retransmissions = state.retransmissions + 1;
    return { state: { ...state, timer, deadline: now + timer, retransmissions }, actions: [request(state)] };
  }
  const { packet, port } = input;
  if (!receive) return onFirst(state, packet, port, now);
  if (port !== state.port) {
    // A repeated request may have made a second transfer: it is told that it has no client.
    if (packet.kind === "error") return { state, actions: [] };
    const error = { kind: "error", code: TFTP_ERROR.unknownTransfer, message: "Unknown transfer" } as const;
    return { state, actions: [{ kind: "send", port, packet: error }] };
  }
  if (packet.kind === "oack" && receive.received === 0) {
    return { state, actions: [{ kind: "send", port, packet: { kind: "ack", block: 0 } }] };
  }
  return relay(state, stepReceive(receive, { kind: "packet", packet }, now));
}
