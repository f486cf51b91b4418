import { TCP_FLAG, type TcpSegment } from "./tcp-segment.ts";
import { onData } from "./tcp-receive.ts";
import {
  FIRST_RTO,
  onAck,
  onTimeout,
  openWindow,
  sendAck,
  sendReset,
  sendSynAck,
  timeout,
  transmit,
} from "./tcp-send.ts";
import {
  CAPACITY,
  finConfirmed,
  peerFinished,
  positionOf,
  type Draft,
  type TcpAction,
  type TcpEvent,
  type TcpOutcome,
  type TcpState,
} from "./tcp-state.ts";

/** The largest segment that fits a packet on Ethernet. */
export const OUR_MSS = 1460;
/** What a peer that names no size takes (RFC 9293 section 3.7.1), and a floor against those who name a silly one. */
const DEFAULT_MSS = 536;
const LEAST_MSS = 88;
/** Twice the time that a segment may live in a network. Linux waits as long. */
const TIME_WAIT_MS = 60_000;
/** How long a peer may leave its half open when ours is closed. */
const FIN_WAIT_MS = 60_000;

/**
 * Answer a SYN: the first step of a connection. `iss` should be hard to guess (RFC 6528).
 * Data that comes with a SYN is left to be sent again.
 */
export function acceptTcp(segment: TcpSegment, iss: number, now: number): TcpOutcome {
  const mss = Math.max(LEAST_MSS, Math.min(OUR_MSS, segment.mss ?? DEFAULT_MSS));
  const draft: Draft = {
    phase: "syn-received",
    iss,
    una: 0,
    next: 1,
    most: 1,
    written: 1,
    ended: false,
    irs: segment.seq,
    received: 1,
    early: [],
    peerEnd: undefined,
    active: false,
    unread: 0,
    edge: 1 + CAPACITY,
    window: segment.window,
    scale: segment.scale,
    mss,
    windowSeq: 0,
    windowAck: 0,
    // RFC 6928.
    cwnd: Math.min(10 * mss, Math.max(2 * mss, 14_600)),
    ssthresh: Number.POSITIVE_INFINITY,
    duplicates: 0,
    recovering: false,
    recover: 0,
    roundTrip: undefined,
    rto: FIRST_RTO,
    backoff: 0,
    timed: { end: 1, at: now },
    deadline: now + FIRST_RTO,
    quietSince: now,
    retransmissions: 0,
  };
  const actions: TcpAction[] = [];
  sendSynAck(draft, actions, OUR_MSS);
  return { state: draft, actions };
}

function close(
  draft: Draft,
  out: TcpAction[],
  reason: Extract<TcpAction, { kind: "closed" }>["reason"],
): void {
  draft.phase = "closed";
  draft.early = [];
  draft.deadline = Number.POSITIVE_INFINITY;
  out.push({ kind: "closed", reason });
}

/** After every step: is it over, and what is waited for? */
function settle(draft: Draft, out: TcpAction[], now: number): void {
  if (draft.phase !== "open") return;
  if (finConfirmed(draft)) {
    if (!peerFinished(draft)) draft.deadline = now + FIN_WAIT_MS;
    else if (draft.active) {
      draft.phase = "time-wait";
      draft.deadline = now + TIME_WAIT_MS;
    } else close(draft, out, "done");
    return;
  }
  if (draft.next > draft.una) return;
  // Nothing is under way: either there is nothing to send, or the peer's window is closed.
  if (draft.written === draft.next) draft.deadline = Number.POSITIVE_INFINITY;
  else if (draft.deadline === Number.POSITIVE_INFINITY) draft.deadline = now + timeout(draft);
}

/** RFC 9293 section 3.10.7.4, in its order, with RFC 5961's care about what a blind attacker could send. */
function onSegment(draft: Draft, out: TcpAction[], segment: TcpSegment, now: number): void {
  const { data } = segment;
  const has = (flag: number): boolean => (segment.flags & flag) !== 0;
  const start = positionOf(segment.seq, draft.irs, draft.received);
  const length = data.length + (has(TCP_FLAG.fin) ? 1 : 0);
  if (has(TCP_FLAG.syn)) {
    // Our answer to it was lost, or somebody guesses.
    if (draft.phase === "syn-received" && start === 0) {
      if (!has(TCP_FLAG.ack)) sendSynAck(draft, out, OUR_MSS);
    } else if (!has(TCP_FLAG.rst)) sendAck(draft, out);
    return;
  }
  const acceptable =
    (length === 0 ? start >= draft.received : start + length > draft.received) &&
    (start < draft.edge || start === draft.received);
  if (!acceptable) {
    // Our last word was lost (RFC 9293: start the wait anew).
    if (draft.phase === "time-wait" && has(TCP_FLAG.fin)) draft.deadline = now + TIME_WAIT_MS;
    if (!has(TCP_FLAG.rst)) sendAck(draft, out);
    return;
  }
  if (has(TCP_FLAG.rst)) {
    if (start === draft.received) close(draft, out, "reset");
    else sendAck(draft, out);
    return;
  }
  if (!has(TCP_FLAG.ack)) return;
  draft.quietSince = now;
  if (draft.phase === "time-wait") {
    if (length > 0) sendAck(draft, out);
    return;
  }
  if (draft.phase === "syn-received") {
    if (positionOf(segment.ack, draft.iss, draft.una) !== 1) {
      out.push({
        kind: "send",
        header: { seq: segment.ack, ack: 0, flags: TCP_FLAG.rst, window: 0 },
        from: 0,
        length: 0,
      });
      return;
    }
    draft.phase = "open";
    draft.windowSeq = start;
    out.push({ kind: "open" });
  }
  if (!onAck(draft, out, segment, start, now)) {
    sendAck(draft, out);
    return;
  }
  if (length > 0) onData(draft, out, { start, data, fin: has(TCP_FLAG.fin) });
  const before = out.length;
  transmit(draft, out, now);
  if (length > 0 && out.length === before) sendAck(draft, out);
}

/** One step of a connection: pure, `now` in milliseconds on a clock that does not go back. */
export function stepTcp(state: TcpState, event: TcpEvent, now: number): TcpOutcome {
  if (state.phase === "closed") return { state, actions: [] };
  const draft: Draft = { ...state };
  const out: TcpAction[] = [];
  switch (event.kind) {
    case "segment":
      onSegment(draft, out, event.segment, now);
      break;
    case "write":
      if (draft.ended) break;
      if (draft.next === draft.una) draft.quietSince = now;
      draft.written += event.bytes;
      transmit(draft, out, now);
      break;
    case "end":
      if (draft.next === draft.una) draft.quietSince = now;
      draft.ended = true;
      transmit(draft, out, now);
      break;
    case "read": {
      draft.unread = Math.max(0, draft.unread - event.bytes);
      // Only a peer that may be waiting is told.
      const low = draft.edge - draft.received < CAPACITY / 2;
      if (draft.phase === "open" && !peerFinished(draft) && low && openWindow(draft)) sendAck(draft, out);
      break;
    }
    case "abort":
      if (draft.phase !== "time-wait") sendReset(draft, out);
      close(draft, out, "aborted");
      break;
    case "timer":
      if (now < draft.deadline) return { state, actions: [] };
      if (draft.phase === "time-wait") close(draft, out, "done");
      else if (onTimeout(draft, out, now, OUR_MSS)) close(draft, out, "timeout");
      break;
  }
  settle(draft, out, now);
  return { state: draft, actions: out };
}
