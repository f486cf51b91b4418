import { timerFor, withSample, type RoundTrip } from "./internal/round-trip.ts";
import type { TftpTerms } from "./tftp-options.ts";
import { TFTP_ERROR, type TftpPacket } from "./tftp-packet.ts";

/**
 * The receiving end of a transfer: a server that is written to, or a client that reads. Block numbers are
 * absolute, as in the sending engine. No block is kept that is out of order: the answer names the last one
 * that was in order, and the sender goes on from there (RFC 7440 section 4).
 */
export interface ReceiveState {
  /** "waiting": nothing has come yet; "over": all has come, and a repeated last block is answered again. */
  readonly phase: "waiting" | "data" | "over" | "done";
  readonly terms: TftpTerms;
  /** Whether the opening answer of a server has options in it. */
  readonly opening: "oack" | "ack";
  /** The highest block that came in order. */
  readonly received: number;
  readonly bytes: number;
  /** The highest block that was confirmed. */
  readonly acked: number;
  /** A gap has been told of since the last block in order: once is enough. */
  readonly complained: boolean;
  readonly askedAt: number | undefined;
  readonly roundTrip: RoundTrip | undefined;
  readonly timer: number;
  readonly deadline: number;
  readonly quietSince: number;
  readonly retransmissions: number;
}

/** What happens to it. */
export type ReceiveInput =
  | { readonly kind: "packet"; readonly packet: TftpPacket }
  | { readonly kind: "timer" };

/** What the caller must do, in this order. */
export type ReceiveAction =
  | { readonly kind: "oack" }
  /** The block's bytes come next in the file. They are the packet's own: copy what is kept. */
  | { readonly kind: "store"; readonly bytes: Uint8Array }
  /** Confirm, once everything before is stored; with `last` the whole file. */
  | { readonly kind: "ack"; readonly block: number; readonly last: boolean }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  | { readonly kind: "end"; readonly outcome: "complete" | "refused" | "failed"; readonly detail?: string };

/** The outcome of a step. */
export interface ReceiveOutcome {
  readonly state: ReceiveState;
  readonly actions: readonly ReceiveAction[];
}

/** The floor is above the sender's: who has the file knows best what to repeat. */
const TIMER = { first: 500, floor: 100, ceiling: 1000 } as const;
const GIVE_UP_MS = 10_000;
/** As for a sender, a forged request costs its victim few packets. */
const UNHEARD_REPEATS = 4;
/** How long the last block is answered when it comes again, because its ACK was lost (RFC 1350 section 6). */
const LINGER_MS = 3000;

/** Begin: with `opening`, a server's answer goes out; a client, which has just answered itself, gives none. */
export function startReceive(terms: TftpTerms, now: number, opening?: "oack" | "ack"): ReceiveOutcome {
  const state: ReceiveState = {
    phase: "waiting",
    terms,
    opening: opening ?? "ack",
    received: 0,
    bytes: 0,
    acked: 0,
    complained: false,
    askedAt: now,
    roundTrip: undefined,
    timer: TIMER.first,
    deadline: now + TIMER.first,
    quietSince: now,
    retransmissions: 0,
  };
  return { state, actions: opening === undefined ? [] : [confirm(state)] };
}

/** The answer that stands: an OACK or ACK 0 first, then the last block in order. */
function confirm(state: ReceiveState): ReceiveAction {
  if (state.received === 0 && state.opening === "oack") return { kind: "oack" };
  return { kind: "ack", block: state.received, last: state.phase === "over" };
}

function fail(
  state: ReceiveState,
  outcome: "refused" | "failed",
  detail: string,
  error?: { code: number; message: string },
): ReceiveOutcome {
  const actions: ReceiveAction[] = [{ kind: "end", outcome, detail }];
  if (error) actions.unshift({ kind: "error", ...error });
  return { state: { ...state, phase: "done", deadline: Number.POSITIVE_INFINITY }, actions };
}

function onData(state: ReceiveState, block: number, bytes: Uint8Array, now: number): ReceiveOutcome {
  const idle: ReceiveOutcome = { state, actions: [] };
  const step = (block - state.received) & 0xffff;
  if (state.phase === "over") return step === 0 ? { state, actions: [confirm(state)] } : idle;
  if (step === 1) return onNext(state, bytes, now);
  // A gap; or the last block in order comes again: the sender does not know of it, and without an answer it
  // would repeat its window for ever when our windows do not end where its do.
  const gap = step !== 0 && step < 0x8000 && !state.complained;
  const again = step === 0 && state.received > 0;
  if (!gap && !again) return idle;
  const told = { ...state, acked: state.received, complained: state.complained || gap, askedAt: undefined };
  return { state: told, actions: [confirm(told)] };
}

function onNext(state: ReceiveState, bytes: Uint8Array, now: number): ReceiveOutcome {
  const { blksize, windowsize } = state.terms;
  if (bytes.length > blksize) {
    const message = `A block of ${bytes.length} bytes where ${blksize} were agreed on`;
    return fail(state, "failed", message, { code: TFTP_ERROR.illegalOperation, message });
  }
  const last = bytes.length < blksize;
  const received = state.received + 1;
  const full = last || received - state.acked >= windowsize;
  const roundTrip =
    state.askedAt === undefined ? state.roundTrip : withSample(state.roundTrip, now - state.askedAt);
  const timer = state.askedAt === undefined || !roundTrip ? state.timer : timerFor(roundTrip, TIMER);
  const next: ReceiveState = {
    ...state,
    phase: last ? "over" : "data",
    received,
    bytes: state.bytes + bytes.length,
    acked: full ? received : state.acked,
    complained: false,
    askedAt: full ? now : undefined,
    roundTrip,
    timer,
    quietSince: now,
    deadline: now + (last ? LINGER_MS : timer),
  };
  const store: ReceiveAction = { kind: "store", bytes };
  if (!full) return { state: next, actions: [store] };
  const actions: ReceiveAction[] = [store, confirm(next)];
  if (last) actions.push({ kind: "end", outcome: "complete" });
  return { state: next, actions };
}

function onTimer(state: ReceiveState, now: number): ReceiveOutcome {
  if (now < state.deadline) return { state, actions: [] };
  if (state.phase === "over") {
    return { state: { ...state, phase: "done", deadline: Number.POSITIVE_INFINITY }, actions: [] };
  }
  const quiet = now - state.quietSince;
  if (
    quiet >= GIVE_UP_MS ||
    (state.phase === "waiting" && state.opening === "oack" && state.retransmissions >= UNHEARD_REPEATS)
  ) {
    const error = { code: TFTP_ERROR.undefined, message: "Timed out" };
    return fail(state, "failed", `no data for ${(quiet / 1000).toFixed(1)} s`, error);
  }
  const timer = Math.min(state.timer * 2, TIMER.ceiling);
  const next: ReceiveState = {
    ...state,
    acked: state.received,
    complained: false,
    askedAt: undefined,
    timer,
    deadline: now + timer,
    retransmissions: state.retransmissions + 1,
  };
  return { state: next, actions: [confirm(next)] };
}

/** One step of the receiving end: pure, `now` in milliseconds on a clock that does not go back. */
export function stepReceive(state: ReceiveState, input: ReceiveInput, now: number): ReceiveOutcome {
  if (state.phase === "done") return { state, actions: [] };
  if (input.kind === "timer") return onTimer(state, now);
  const { packet } = input;
  if (packet.kind === "data") return onData(state, packet.block, packet.bytes, now);
  if (packet.kind === "error") {
    if (state.phase === "over") return { state, actions: [] };
    return fail(
      state,
      "refused",
      `error ${packet.code} from the other side: ${JSON.stringify(packet.message)}`,
    );
  }
  // An OACK that comes again belongs to the opening, which the client's engine sees to.
  return { state, actions: [] };
}
