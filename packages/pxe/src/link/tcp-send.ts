import { TCP_FLAG, type TcpSegment } from "./tcp-segment.ts";
import { CAPACITY, finConfirmed, positionOf, sequenceOf, type Draft, type TcpAction } from "./tcp-state.ts";

/** RFC 6298 wants a floor of 1 s; 200 ms is what common systems have, whose ACKs come within 40 ms. */
const RTO = { first: 1000, floor: 200, ceiling: 60_000 } as const;
/** RFC 9293 section 3.8.3: at least 100 s before a silent peer is given up. */
const GIVE_UP_MS = 100_000;

/** How long to wait for an answer now. */
export function timeout(draft: Draft): number {
  return Math.min(RTO.ceiling, draft.rto * 2 ** Math.min(draft.backoff, 16));
}

/** What our window's end may be now; it moves only when that is worth a word (RFC 9293 section 3.8.6.2.2). */
export function openWindow(draft: Draft): boolean {
  const edge = draft.received + CAPACITY - draft.unread;
  if (edge - draft.edge < Math.min(CAPACITY / 2, draft.mss)) return false;
  draft.edge = edge;
  return true;
}

function send(draft: Draft, out: TcpAction[], from: number, length: number, flags: number): void {
  openWindow(draft);
  const header = {
    seq: sequenceOf(from, draft.iss),
    ack: sequenceOf(draft.received, draft.irs),
    flags: flags | TCP_FLAG.ack,
    window: draft.edge - draft.received,
  };
  out.push({ kind: "send", header, from, length });
}

/** An ACK without data. */
export function sendAck(draft: Draft, out: TcpAction[]): void {
  // After a time-out we send old bytes again, but an ACK is taken only at the place that the peer has reached.
  send(draft, out, draft.window > 0 ? draft.most : draft.next, 0, 0);
}

/** The answer to a SYN; `mss` is the largest segment that we take. */
export function sendSynAck(draft: Draft, out: TcpAction[], mss: number): void {
  const header = {
    seq: draft.iss,
    ack: sequenceOf(draft.received, draft.irs),
    flags: TCP_FLAG.syn | TCP_FLAG.ack,
    window: draft.edge - draft.received,
    mss,
    // Our own windows are small; the option only allows the peer to have large ones (RFC 7323 section 2.2).
    scale: draft.scale === undefined ? undefined : 0,
  };
  out.push({ kind: "send", header, from: 0, length: 0 });
}

export function sendReset(draft: Draft, out: TcpAction[]): void {
  send(draft, out, draft.next, 0, TCP_FLAG.rst);
}

/** Send what lies at a position, at most up to `limit`; returns the position behind it. */
function sendAt(draft: Draft, out: TcpAction[], from: number, limit: number): number {
  const length = Math.max(0, Math.min(draft.mss, draft.written - from, limit - from));
  const last = from + length === draft.written;
  const fin = last && draft.ended && limit > draft.written;
  send(draft, out, from, length, (last ? TCP_FLAG.psh : 0) | (fin ? TCP_FLAG.fin : 0));
  return from + length + (fin ? 1 : 0);
}

/** Send what the peer's window and the congestion window allow. */
export function transmit(draft: Draft, out: TcpAction[], now: number): void {
  if (draft.phase !== "open") return;
  const limit = draft.una + Math.min(draft.window, draft.cwnd);
  for (;;) {
    const { next, written } = draft;
    const size = Math.max(0, Math.min(draft.mss, written - next, limit - next));
    // Small pieces only at the end of what there is, or when nothing else would move.
    const worth = size > 0 && (size === draft.mss || next + size === written || next === draft.una);
    const fin = draft.ended && next === written;
    if (!worth && !fin) return;
    // A FIN goes along with the last byte, or by itself past any window.
    const behind = sendAt(draft, out, next, next + size === written ? written + 1 : limit);
    if (next === draft.una || draft.deadline === Number.POSITIVE_INFINITY)
      draft.deadline = now + timeout(draft);
    if (next < draft.most) draft.retransmissions += 1;
    else draft.timed ??= { end: behind, at: now };
    draft.next = behind;
    draft.most = Math.max(draft.most, behind);
  }
}

function repeatFirst(draft: Draft, out: TcpAction[]): void {
  sendAt(draft, out, draft.una, draft.most);
  draft.timed = undefined;
  draft.retransmissions += 1;
}

/** RFC 6298 section 2. */
function measure(draft: Draft, now: number): void {
  if (!draft.timed || draft.una < draft.timed.end) return;
  const sample = now - draft.timed.at;
  draft.timed = undefined;
  const before = draft.roundTrip;
  draft.roundTrip = before
    ? {
        deviation: before.deviation * 0.75 + Math.abs(before.mean - sample) * 0.25,
        mean: before.mean * 0.875 + sample * 0.125,
      }
    : { mean: sample, deviation: sample / 2 };
  const { mean, deviation } = draft.roundTrip;
  draft.rto = Math.min(RTO.ceiling, Math.max(RTO.floor, mean + 4 * deviation));
}

function onProgress(draft: Draft, out: TcpAction[], ack: number, now: number): void {
  const { mss } = draft;
  const fresh = ack - draft.una;
  draft.una = ack;
  draft.next = Math.max(draft.next, ack);
  draft.backoff = 0;
  draft.duplicates = 0;
  measure(draft, now);
  draft.deadline = draft.next > draft.una ? now + timeout(draft) : Number.POSITIVE_INFINITY;
  if (draft.recovering) {
    const flight = draft.next - draft.una;
    if (ack >= draft.recover) {
      draft.recovering = false;
      draft.cwnd = Math.min(draft.ssthresh, Math.max(flight, mss) + mss);
    } else {
      // A partial ACK: the next hole starts right here (RFC 6582 section 3.2).
      repeatFirst(draft, out);
      draft.cwnd = Math.max(mss, draft.cwnd - fresh + (fresh >= mss ? mss : 0));
    }
  } else if (draft.cwnd < draft.ssthresh) draft.cwnd += Math.min(fresh, mss);
  else draft.cwnd += Math.max(1, Math.floor((mss * mss) / draft.cwnd));
  out.push({ kind: "acked", below: ack });
}

function onDuplicate(draft: Draft, out: TcpAction[], now: number): void {
  const { mss } = draft;
  draft.duplicates += 1;
  if (draft.recovering) {
    draft.cwnd += mss;
    return;
  }
  // Duplicates of before a time-out tell nothing new: wait until what was repeated then is confirmed.
  if (draft.duplicates !== 3 || draft.una < draft.recover) return;
  draft.recovering = true;
  draft.recover = draft.most;
  draft.ssthresh = Math.max((draft.next - draft.una) / 2, 2 * mss);
  draft.cwnd = draft.ssthresh + 3 * mss;
  repeatFirst(draft, out);
  draft.deadline = now + timeout(draft);
}

/** Take a segment's confirmation and window; false when it confirms what was never sent. */
export function onAck(
  draft: Draft,
  out: TcpAction[],
  segment: TcpSegment,
  start: number,
  now: number,
): boolean {
  const ack = positionOf(segment.ack, draft.iss, draft.una);
  if (ack > draft.most) return false;
  if (ack < draft.una) return true;
  const window = segment.window * 2 ** (draft.scale ?? 0);
  const newer = draft.windowSeq < start || (draft.windowSeq === start && draft.windowAck <= ack);
  const same = window === draft.window;
  if (newer) {
    // Pauses between the probes of a closed window say nothing of the network.
    if (draft.window === 0 && window > 0) draft.backoff = 0;
    draft.window = window;
    draft.windowSeq = start;
    draft.windowAck = ack;
  }
  if (ack > draft.una) onProgress(draft, out, ack, now);
  else if (
    draft.next > draft.una &&
    same &&
    segment.data.length === 0 &&
    (segment.flags & TCP_FLAG.fin) === 0
  )
    onDuplicate(draft, out, now);
  return true;
}

/** The timer ran out: repeat, probe a closed window, or give up; true when the connection is over. */
export function onTimeout(draft: Draft, out: TcpAction[], now: number, mss: number): boolean {
  if (finConfirmed(draft)) return true; // the peer never says its last word
  if (now - draft.quietSince >= GIVE_UP_MS) {
    sendReset(draft, out);
    return true;
  }
  draft.timed = undefined;
  if (draft.phase === "syn-received") {
    draft.backoff += 1;
    draft.retransmissions += 1;
    sendSynAck(draft, out, mss);
  } else if (draft.next === draft.una) {
    // The window is closed: a byte beyond it makes the peer tell of it (RFC 9293 section 3.8.6.1).
    draft.backoff += 1;
    sendAt(draft, out, draft.next, draft.next + 1);
    draft.most = Math.max(draft.most, draft.next + 1);
  } else {
    if (draft.backoff === 0) draft.ssthresh = Math.max((draft.next - draft.una) / 2, 2 * draft.mss);
    draft.backoff += 1;
    draft.cwnd = draft.mss;
    draft.recovering = false;
    draft.recover = draft.most;
    draft.duplicates = 0;
    draft.next = draft.una;
    // The peer's window may have closed meanwhile; what was in it once may be repeated.
    if (draft.window === 0) draft.next = sendAt(draft, out, draft.una, draft.most);
    else transmit(draft, out, now);
  }
  draft.deadline = now + timeout(draft);
  return false;
}

export const FIRST_RTO = RTO.first;
