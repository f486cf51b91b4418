import { timerFor, withSample, type RoundTrip } from "./internal/round-trip.ts";
import { TFTP_ERROR, type TftpPacket } from "./tftp-packet.ts";
import type { TftpTerms } from "./tftp-options.ts";

/**
 * One read transfer, server side. Block numbers here are absolute (1, 2, … without wrapping); on the wire
 * they are taken modulo 65536, so 65535 is followed by 0.
 */
export interface TransferState {
  readonly phase: "options" | "data" | "done";
  readonly terms: TftpTerms;
  readonly size: number;
  /** The highest block that the client has confirmed. */
  readonly acked: number;
  /** The highest block of the window in flight. */
  readonly sent: number;
  /** When the window in flight was first sent, or undefined after it was repeated (Karn's rule). */
  readonly sentAt: number | undefined;
  /** Smoothed round trip and its deviation in milliseconds; undefined until measured. */
  readonly roundTrip: RoundTrip | undefined;
  /** The current timer, doubled by every repetition. */
  readonly timer: number;
  /** When to wake up; no wake-up before it does any good. */
  readonly deadline: number;
  /** Since when the client has confirmed nothing new. */
  readonly quietSince: number;
  /** Whether the client has confirmed anything at all. */
  readonly heard: boolean;
  readonly retransmissions: number;
}

/** What happens to a transfer. */
export type TransferInput =
  | { readonly kind: "packet"; readonly packet: TftpPacket }
  | { readonly kind: "timer" };

/** What the caller must do. */
export type TransferAction =
  | { readonly kind: "oack" }
  /** Send the blocks `from` to `to`, both included. */
  | { readonly kind: "blocks"; readonly from: number; readonly to: number }
  | { readonly kind: "error"; readonly code: number; readonly message: string }
  | {
      readonly kind: "end";
      readonly outcome: "complete" | "probe" | "refused" | "failed";
      readonly detail?: string;
    };

/** The outcome of a step. */
export interface TransferOutcome {
  readonly state: TransferState;
  readonly actions: readonly TransferAction[];
}

/** Bounds of the retransmission timer. A floor of 20 ms is what makes lossy links bearable: clients wait for us. */
const TIMER = { first: 250, floor: 20, ceiling: 1000, unheardCeiling: 4000 } as const;
const GIVE_UP_MS = 10_000;
/** A forged request makes us send this often at most: no amplifier for others. */
const UNHEARD_REPEATS = 4;

/** The number of the last block: it is shorter than the others, perhaps empty. */
export function lastBlock(state: TransferState): number {
  return Math.floor(state.size / state.terms.blksize) + 1;
}

function sendWindow(state: TransferState, now: number): TransferOutcome {
  const from = state.acked + 1;
  const to = Math.min(state.acked + state.terms.windowsize, lastBlock(state));
  // Behind a gap are blocks that are under way already: an answer to those would look like a short round trip.
  const sentAt = from > state.sent ? now : undefined;
  return {
    state: { ...state, phase: "data", sent: to, sentAt, deadline: now + state.timer },
    actions: [{ kind: "blocks", from, to }],
  };
}

/** Begin: an OACK when options were agreed on, else the first block at once. */
export function startTransfer(size: number, terms: TftpTerms, now: number): TransferOutcome {
  const state: TransferState = {
    phase: terms.reply.size > 0 ? "options" : "data",
    terms,
    size,
    acked: 0,
    sent: 0,
    sentAt: now,
    roundTrip: undefined,
    timer: TIMER.first,
    deadline: now + TIMER.first,
    quietSince: now,
    heard: false,
    retransmissions: 0,
  };
  return terms.reply.size > 0 ? { state, actions: [{ kind: "oack" }] } : sendWindow(state, now);
}

/** What the answer to the window in flight teaches about the round trip. */
function measured(state: TransferState, now: number): Pick<TransferState, "roundTrip" | "timer"> {
  if (state.sentAt === undefined) return { roundTrip: state.roundTrip, timer: state.timer };
  const roundTrip = withSample(state.roundTrip, now - state.sentAt);
  return { roundTrip, timer: timerFor(roundTrip, TIMER) };
}

function end(
  state: TransferState,
  outcome: "complete" | "probe" | "refused" | "failed",
  detail?: string,
): TransferOutcome {
  const last: TransferAction = { kind: "end", outcome, ...(detail === undefined ? {} : { detail }) };
  return { state: { ...state, phase: "done", deadline: Number.POSITIVE_INFINITY }, actions: [last] };
}

function onAck(state: TransferState, block: number, now: number): TransferOutcome {
  const idle: TransferOutcome = { state, actions: [] };
  if (state.phase === "options") {
    if (block !== 0) return idle;
    return sendWindow({ ...state, ...measured(state, now), heard: true, quietSince: now }, now);
  }
  const step = (block - state.acked) & 0xffff;
  // Zero is a duplicate: answering it would double every later packet (the Sorcerer's Apprentice,
  // RFC 1123 4.2.3.1). More than is in flight is an echo of long ago.
  if (step === 0 || step > state.sent - state.acked) return idle;
  const acked = state.acked + step;
  const next: TransferState = { ...state, ...measured(state, now), acked, heard: true, quietSince: now };
  if (acked === lastBlock(state)) return end(next, "complete");
  // An ACK inside the window tells of a gap behind it: go on from there (RFC 7440 section 4).
  return sendWindow(next, now);
}

function onTimer(state: TransferState, now: number): TransferOutcome {
  if (now < state.deadline) return { state, actions: [] };
  const quiet = now - state.quietSince;
  if (quiet >= GIVE_UP_MS || (!state.heard && state.retransmissions >= UNHEARD_REPEATS)) {
    // A client that has it all need not wait whether we know (RFC 1350 section 6): say what is not known.
    const what =
      state.heard && state.sent === lastBlock(state) ? "the last blocks were not confirmed" : "no answer";
    const lost = end(state, "failed", `${what} for ${(quiet / 1000).toFixed(1)} s`);
    return {
      ...lost,
      actions: [{ kind: "error", code: TFTP_ERROR.undefined, message: "Timed out" }, ...lost.actions],
    };
  }
  const timer = Math.min(state.timer * 2, state.heard ? TIMER.ceiling : TIMER.unheardCeiling);
  const retransmissions = state.retransmissions + 1;
  const next = { ...state, sentAt: undefined, timer, deadline: now + timer, retransmissions };
  if (state.phase === "options") return { state: next, actions: [{ kind: "oack" }] };
  return { state: next, actions: [{ kind: "blocks", from: state.acked + 1, to: state.sent }] };
}

/** One step of a transfer: pure, `now` in milliseconds on a clock that does not go back. */
export function stepTransfer(state: TransferState, input: TransferInput, now: number): TransferOutcome {
  if (state.phase === "done") return { state, actions: [] };
  if (input.kind === "timer") return onTimer(state, now);
  const { packet } = input;
  switch (packet.kind) {
    case "ack":
      return onAck(state, packet.block, now);
    case "error": {
      // Firmware asks for the size first and hangs up (OVMF with error 8): nothing to worry about.
      if (state.terms.reply.has("tsize") && state.acked <= state.terms.windowsize) return end(state, "probe");
      return end(state, "refused", `error ${packet.code} from the client: ${JSON.stringify(packet.message)}`);
    }
    default: {
      const ended = end(state, "failed", `the client sent ${packet.kind} into a read transfer`);
      const error = {
        kind: "error",
        code: TFTP_ERROR.illegalOperation,
        message: "Unexpected packet",
      } as const;
      return { ...ended, actions: [error, ...ended.actions] };
    }
  }
}
